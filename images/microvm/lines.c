#include "guest.h"

#include <string.h>

#define WORDS_MAX 8

/* Decimal, without sign and leading zeros, at most 19 digits. */
static bool number(const char *text, uint64_t *value)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 19 || text[digits] != '\0' || (digits > 1 && text[0] == '0'))
		return false;
	*value = 0;
	for (; *text != '\0'; text++)
		*value = *value * 10 + (uint64_t)(*text - '0');
	return true;
}

static int digit(char each)
{
	const char *digits = "0123456789abcdef";
	const char *at = each == '\0' ? NULL : strchr(digits, each);
	return at == NULL ? -1 : (int)(at - digits);
}

static bool seed(const char *text, unsigned char *into)
{
	if (strlen(text) != 4 * SEED_BYTES)
		return false;
	for (size_t at = 0; at < 2 * SEED_BYTES; at++) {
		int high = digit(text[2 * at]), low = digit(text[2 * at + 1]);
		if (high < 0 || low < 0)
			return false;
		into[at] = (unsigned char)(high << 4 | low);
	}
	return true;
}

const char *parse_line(char *line, struct question *asked)
{
	static const struct {
		const char *word;
		size_t count;
	} kinds[] = {[PREPARE] = {"prepare", 5}, [START] = {"start", 7}, [LIMITS] = {"limits", 4}, [TIME] = {"time", 3}, [USAGE] = {"usage", 2}};
	char *words[WORDS_MAX];
	size_t count = 0, kind = 0;
	*asked = (struct question){0};
	for (char *rest = line; rest != NULL && count < WORDS_MAX; count++)
		words[count] = strsep(&rest, " ");
	if (!number(words[0], &asked->number) || asked->number == 0)
		return "a line begins with a number";
	const size_t kinds_count = sizeof kinds / sizeof *kinds;
	while (kind < kinds_count && (count < 2 || strcmp(words[1], kinds[kind].word) != 0))
		kind++;
	if (kind == kinds_count)
		return "expected prepare, start, limits, time or usage";
	if (count != kinds[kind].count)
		return "not as many words as it takes";
	asked->kind = (__typeof__(asked->kind))kind;
	size_t at = 2;
	if ((kind == START || kind == TIME) && !number(words[at++], &asked->time))
		return "the time is no number";
	if (kind == START && !seed(words[at++], asked->seed))
		return "the seed is not 256 digits of 0-9a-f";
	if (kind == TIME || kind == USAGE)
		return NULL;
	if (!number(words[at], &asked->memory) || !number(words[at + 1], &asked->pids))
		return "a limit is no number";
	if (asked->memory == 0 || asked->pids == 0)
		return "a limit is 0";
	if (kind != LIMITS && (!number(words[at + 2], &asked->tmp) || asked->tmp == 0))
		return "the size of /tmp is no number above 0";
	return NULL;
}
