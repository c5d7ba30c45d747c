/* SPDX-License-Identifier: ISC */
/* The version that every program prints. */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define SALLYPORT_VERSION "0.1.0"

#endif
