#include "guest.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define RELAY_BYTES (256 * 1024)
/* A virtio port gives one page at a time: so many are asked for at once. */
#define PAGE_BYTES 4096
#define PAGES_MAX (RELAY_BYTES / PAGE_BYTES)
/* Turns of one stream before the others are looked at. */
#define TURNS_MAX 8

void relay_open(struct relay *relay, int from, int to)
{
	*relay = (struct relay){.from = from, .to = to, .buffer = malloc(RELAY_BYTES)};
	if (relay->buffer == NULL)
		fatal("there is no memory for a stream");
}

bool relay_wants_input(const struct relay *relay)
{
	return relay->buffer != NULL && !relay->has_ended && !relay->is_broken && relay->end < RELAY_BYTES;
}

bool relay_wants_output(const struct relay *relay)
{
	return relay->buffer != NULL && !relay->is_broken && relay->start < relay->end;
}

bool relay_is_done(const struct relay *relay)
{
	return relay->buffer == NULL || relay->is_broken || (relay->has_ended && relay->start == relay->end);
}

void relay_break(struct relay *relay)
{
	relay->is_broken = true;
}

/* True: something came. */
static bool fill(struct relay *relay)
{
	struct iovec pages[PAGES_MAX];
	int count = 0;
	for (size_t at = relay->end; at < RELAY_BYTES; count++) {
		size_t bytes = RELAY_BYTES - at < PAGE_BYTES ? RELAY_BYTES - at : PAGE_BYTES;
		pages[count] = (struct iovec){.iov_base = relay->buffer + at, .iov_len = bytes};
		at += bytes;
	}
	ssize_t got = readv(relay->from, pages, count);
	if (got > 0)
		relay->end += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		relay->has_ended = true;
	return got > 0;
}

/* True: all of it went. */
static bool drain(struct relay *relay)
{
	while (relay->start < relay->end) {
		ssize_t wrote = write(relay->to, relay->buffer + relay->start, relay->end - relay->start);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0 && errno == EAGAIN)
			return false;
		if (wrote <= 0) {
			relay_break(relay);
			return false;
		}
		relay->start += (size_t)wrote;
	}
	relay->start = relay->end = 0;
	return true;
}

void relay_step(struct relay *relay)
{
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		bool has_come = relay_wants_input(relay) && fill(relay);
		if (relay_wants_output(relay) && !drain(relay))
			return;
		if (!has_come)
			return;
	}
}
