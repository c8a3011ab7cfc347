#include "guest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void take_lines(struct agent *agent, void (*on_line)(char *line))
{
	char *start = agent->in, *end;
	size_t left = agent->in_bytes;
	while ((end = memchr(start, '\n', left)) != NULL) {
		*end = '\0';
		if (!agent->is_skipping)
			on_line(start);
		agent->is_skipping = false;
		left -= (size_t)(end - start) + 1;
		start = end + 1;
	}
	memmove(agent->in, start, left);
	agent->in_bytes = left;
	if (left < sizeof agent->in)
		return;
	if (!agent->is_skipping)
		agent_say(agent, "problem a line has more than %d bytes", LINE_BYTES_MAX);
	agent->is_skipping = true;
	agent->in_bytes = 0;
}

bool agent_read(struct agent *agent, void (*on_line)(char *line))
{
	ssize_t got = read(agent->fd, agent->in + agent->in_bytes, sizeof agent->in - agent->in_bytes);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return false;
	agent->in_bytes += (size_t)got;
	take_lines(agent, on_line);
	return true;
}

bool agent_flush(struct agent *agent)
{
	while (agent->out_bytes > 0) {
		ssize_t wrote = write(agent->fd, agent->out, agent->out_bytes);
		if (wrote < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (wrote <= 0)
			return false;
		agent->out_bytes -= (size_t)wrote;
		memmove(agent->out, agent->out + wrote, agent->out_bytes);
	}
	return true;
}

bool agent_has_room(const struct agent *agent)
{
	return agent->out_bytes < sizeof agent->out / 2;
}

void agent_say(struct agent *agent, const char *format, ...)
{
	size_t room = sizeof agent->out - agent->out_bytes;
	char *line = agent->out + agent->out_bytes;
	va_list values;
	va_start(values, format);
	int bytes = vsnprintf(line, room - 1, format, values);
	va_end(values);
	/* One question at a time is taken from 32 KiB on: what is lost here was not asked for. */
	if (bytes < 0 || (size_t)bytes >= room - 1)
		return;
	for (int at = 0; at < bytes; at++)
		if (line[at] < ' ' || line[at] > '~')
			line[at] = '?';
	line[bytes] = '\n';
	agent->out_bytes += (size_t)bytes + 1;
}
