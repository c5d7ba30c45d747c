/* SPDX-License-Identifier: ISC */
/*
 * Text in aligned columns, two blanks apart.  Cells come from outside:
 * everything but printable ASCII is shown as \xNN.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TABLE_CELL_MAX 256 /* longer cells end in "..." */

struct table_column {
	const char *title;
	bool is_right; /* aligned right: numbers */
};

struct table;

/* columns is borrowed for the table's life. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *t);
/* Appends to the row that is being filled; NULL or "" shows as "-". */
void table_cell(struct table *t, const char *text);
/* Whole rows. */
size_t table_rows(const struct table *t);
/* Titles, then the rows; no blanks at line ends. */
void table_print(const struct table *t, FILE *out);

#define TABLE_BYTES_MAX 16
/* "0", "999", "1.0K", "12M", "3.4G": 1 K is 1024. Returns out. */
const char *table_bytes(uint64_t bytes, char out[TABLE_BYTES_MAX]);

#endif
