/* SPDX-License-Identifier: ISC */
/* Text in aligned columns. */
#include "ctl/table.h"

#include "common/alloc.h"
#include "common/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct table {
	const struct table_column *columns;
	size_t column_count;
	char **cells;
	size_t cell_count, cell_size;
};

struct table *table_new(const struct table_column *columns, size_t count)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->columns = columns;
	t->column_count = count;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->cell_count; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void table_cell(struct table *t, const char *text)
{
	char safe[TABLE_CELL_MAX];

	if (!text || !text[0])
		text = "-";
	log_escape(safe, sizeof(safe), text, strlen(text));
	if (t->cell_count == t->cell_size) {
		t->cell_size = t->cell_size ? t->cell_size * 2 : 64;
		t->cells =
		    xreallocarray(t->cells, t->cell_size, sizeof(t->cells[0]));
	}
	t->cells[t->cell_count++] = xstrdup(safe);
}

size_t table_rows(const struct table *t)
{
	return t->cell_count / t->column_count;
}

static int column_width(const struct table *t, size_t column)
{
	size_t width = strlen(t->columns[column].title);

	for (size_t i = column; i < t->cell_count; i += t->column_count) {
		size_t len = strlen(t->cells[i]);

		if (len > width)
			width = len;
	}
	return (int)width;
}

static void print_cell(
    const struct table *t, size_t column, const char *text, FILE *out)
{
	bool is_last = column + 1 == t->column_count;
	int width = column_width(t, column);

	if (t->columns[column].is_right)
		fprintf(out, "%*s", width, text);
	else
		fprintf(out, "%-*s", is_last ? 0 : width, text);
	fputs(is_last ? "\n" : "  ", out);
}

void table_print(const struct table *t, FILE *out)
{
	for (size_t c = 0; c < t->column_count; c++)
		print_cell(t, c, t->columns[c].title, out);
	for (size_t i = 0; i < table_rows(t) * t->column_count; i++)
		print_cell(t, i % t->column_count, t->cells[i], out);
}

const char *table_bytes(uint64_t bytes, char out[TABLE_BYTES_MAX])
{
	static const char units[] = "KMGTPE";
	size_t unit = 0;
	double value;

	if (bytes < 1024) {
		snprintf(out, TABLE_BYTES_MAX, "%" PRIu64, bytes);
		return out;
	}
	/* 1023.95 and more would print as 1024.0: the next unit. */
	for (value = (double)bytes / 1024; value >= 1023.5; unit++)
		value /= 1024;
	snprintf(out, TABLE_BYTES_MAX, "%.*f%c", value < 9.95 ? 1 : 0, value,
	    units[unit]);
	return out;
}
