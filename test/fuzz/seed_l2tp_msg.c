/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_l2tp_msg to the directory that it is given. */
#include "test/fuzz/seed.h"
#include "test/lib/l2tp_vectors.c"

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	for (size_t i = 0; i < l2tp_vector_count; i++)
		seed_write(argv[1], l2tp_vectors[i]->name,
		    (struct wire_span){
			l2tp_vectors[i]->data, l2tp_vectors[i]->len});
	return 0;
}
