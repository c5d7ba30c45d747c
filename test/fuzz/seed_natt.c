/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_natt to the directory that it is given. */
#include "test/fuzz/seed.h"

int main(int argc, char **argv)
{
	static const uint8_t alive[] = {1, 0xff};
	static const uint8_t marked[] = {1, 0, 0, 0, 0, 0x42, 0x43};
	static const uint8_t marker_alone[] = {1, 0, 0, 0, 0};
	static const uint8_t esp[] = {1, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 1};
	static const uint8_t plain[] = {0, 0x11, 0x22};
	static const uint8_t esp_500[] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78};
	static const uint8_t alive_500[] = {0, 0xff};

	if (argc != 2)
		return 2;
	seed_write(argv[1], "alive", (struct wire_span){alive, sizeof(alive)});
	seed_write(
	    argv[1], "marked", (struct wire_span){marked, sizeof(marked)});
	seed_write(argv[1], "marker",
	    (struct wire_span){marker_alone, sizeof(marker_alone)});
	seed_write(argv[1], "esp", (struct wire_span){esp, sizeof(esp)});
	seed_write(
	    argv[1], "esp_500", (struct wire_span){esp_500, sizeof(esp_500)});
	seed_write(argv[1], "alive_500",
	    (struct wire_span){alive_500, sizeof(alive_500)});
	seed_write(argv[1], "plain", (struct wire_span){plain, sizeof(plain)});
	return 0;
}
