/* The platform's socket in the sandbox: what connects to it is carried to the host, many connections over one channel. README.md beside this file has the frames. */
#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SIDE "/side"
#define BACKLOG 64
#define HEAD_BYTES 6
#define PIECE_BYTES 16384
/* What one side sends without hearing that it was taken. */
#define WINDOW_BYTES (128 * 1024)
/* Words of a few bytes find room behind it: so many connections say no more at once. */
#define OUT_DATA_MAX (64 * 1024)
#define OUT_BYTES (80 * 1024)
#define IN_BYTES (2 * (HEAD_BYTES + PIECE_BYTES))
#define READS_MAX 16

enum kind { OPEN = 'O', DATA = 'D', TAKEN = 'T', END = 'E', RESET = 'R' };

/* fd -1: a free place. */
struct connection {
	int fd;
	uint16_t number;
	char *buffer;
	size_t start, end;
	/* Bytes that may be sent to the host, and those from it that were taken since it was told. */
	size_t credit, taken;
	bool has_sent_end, has_got_end, is_shut;
};

static struct connection connections[SOCKET_CONNECTIONS];
static int listener = -1, channel = -1;
static uint16_t last_number;
static char in[IN_BYTES], out[OUT_BYTES];
static size_t in_bytes, out_bytes;

/* A folder that has everything that is in another one, too: that one may be read-only. */
static void copy_view(const char *from)
{
	DIR *folder = opendir(from);
	struct dirent *entry;
	if (folder == NULL)
		fatal("%s cannot be read", from);
	while ((entry = readdir(folder)) != NULL) {
		char there[PATH_MAX + NAME_MAX + 1], here[sizeof SIDE + NAME_MAX + 1];
		struct stat found;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(there, sizeof there, "%s/%s", from, entry->d_name);
		snprintf(here, sizeof here, SIDE "/%s", entry->d_name);
		if (lstat(there, &found) < 0)
			fatal("%s cannot be looked at", there);
		if (S_ISDIR(found.st_mode))
			mkdir(here, 0755);
		else
			close(open(here, O_CREAT | O_WRONLY | O_CLOEXEC, 0444));
		if (mount(there, here, NULL, MS_BIND | MS_REC, NULL) < 0)
			fatal("%s cannot be shown", there);
	}
	closedir(folder);
}

void socket_listen(const char *at)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char folder[PATH_MAX];
	snprintf(folder, sizeof folder, ROOT "%s", at);
	char *name = strrchr(folder, '/');
	*name++ = '\0';
	mkdir(SIDE, 0755);
	if (mount("tmpfs", SIDE, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=0755") < 0)
		fatal("a place for the socket cannot be made");
	copy_view(folder);
	snprintf(address.sun_path, sizeof address.sun_path, SIDE "/%.80s", name);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
	    chmod(address.sun_path, 0666) < 0 || listen(listener, BACKLOG) < 0)
		fatal("nobody can listen at %s", at);
	if (mount(NULL, SIDE, NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0 ||
	    mount(SIDE, folder, NULL, MS_MOVE, NULL) < 0)
		fatal("%s cannot be shown", at);
}

void socket_carry(int fd)
{
	channel = fd;
	for (int each = 0; each < SOCKET_CONNECTIONS; each++)
		connections[each].fd = -1;
}

static void say(enum kind kind, uint16_t number, size_t bytes)
{
	unsigned char head[HEAD_BYTES] = {(unsigned char)kind, 0, (unsigned char)number, (unsigned char)(number >> 8),
		(unsigned char)bytes, (unsigned char)(bytes >> 8)};
	memcpy(out + out_bytes, head, sizeof head);
	out_bytes += sizeof head + bytes;
	if (out_bytes > OUT_BYTES)
		fatal("the socket has no room for its words");
}

static void forget(struct connection *connection)
{
	close(connection->fd);
	free(connection->buffer);
	connection->fd = -1;
}

static void reset(struct connection *connection)
{
	say(RESET, connection->number, 0);
	forget(connection);
}

static struct connection *find(uint16_t number)
{
	for (int each = 0; each < SOCKET_CONNECTIONS; each++)
		if (connections[each].fd >= 0 && connections[each].number == number)
			return &connections[each];
	return NULL;
}

static struct connection *free_place(void)
{
	for (int each = 0; each < SOCKET_CONNECTIONS; each++)
		if (connections[each].fd < 0)
			return &connections[each];
	return NULL;
}

static void accept_one(void)
{
	struct connection *place = free_place();
	int fd = place == NULL ? -1 : accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	while (find(++last_number) != NULL)
		;
	*place = (struct connection){.fd = fd, .number = last_number, .buffer = malloc(WINDOW_BYTES), .credit = WINDOW_BYTES};
	if (place->buffer == NULL)
		fatal("there is no memory for a connection");
	say(OPEN, last_number, 0);
}

static void forget_if_over(struct connection *connection)
{
	if (connection->has_sent_end && connection->is_shut)
		forget(connection);
}

/* From the sandbox to the host. */
static void take_input(struct connection *connection)
{
	size_t most = connection->credit < PIECE_BYTES ? connection->credit : PIECE_BYTES;
	ssize_t got = read(connection->fd, out + out_bytes + HEAD_BYTES, most);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0)
		return reset(connection);
	if (got > 0) {
		connection->credit -= (size_t)got;
		return say(DATA, connection->number, (size_t)got);
	}
	connection->has_sent_end = true;
	say(END, connection->number, 0);
	forget_if_over(connection);
}

static void tell_taken(struct connection *connection)
{
	uint32_t bytes = (uint32_t)connection->taken;
	if (connection->has_got_end || bytes < WINDOW_BYTES / 2)
		return;
	for (int each = 0; each < 4; each++)
		out[out_bytes + HEAD_BYTES + (size_t)each] = (char)(bytes >> (8 * each));
	say(TAKEN, connection->number, 4);
	connection->taken = 0;
}

/* From the host to the sandbox. */
static void give_output(struct connection *connection)
{
	while (connection->start < connection->end) {
		ssize_t wrote = write(connection->fd, connection->buffer + connection->start, connection->end - connection->start);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0 && errno == EAGAIN)
			return tell_taken(connection);
		if (wrote < 0)
			return reset(connection);
		connection->start += (size_t)wrote;
		connection->taken += (size_t)wrote;
	}
	connection->start = connection->end = 0;
	tell_taken(connection);
	if (!connection->has_got_end || connection->is_shut)
		return;
	connection->is_shut = true;
	shutdown(connection->fd, SHUT_WR);
	forget_if_over(connection);
}

static uint32_t number_in(const char *bytes, int count)
{
	uint32_t number = 0;
	for (int each = 0; each < count; each++)
		number |= (uint32_t)(unsigned char)bytes[each] << (8 * each);
	return number;
}

/* False: the host does not keep to the frames. What is said of a connection that is over means nothing. */
static bool take_frame(char kind, uint16_t number, const char *bytes, size_t size)
{
	struct connection *connection = find(number);
	if (connection == NULL)
		return kind == DATA || kind == TAKEN || kind == END || kind == RESET;
	if (kind == RESET)
		return forget(connection), true;
	if (kind == TAKEN && size == 4) {
		connection->credit += number_in(bytes, 4);
		return true;
	}
	if (connection->has_got_end || (kind != DATA && kind != END))
		return false;
	if (kind == END)
		connection->has_got_end = true;
	if (connection->end - connection->start + size > WINDOW_BYTES)
		return false;
	memmove(connection->buffer, connection->buffer + connection->start, connection->end - connection->start);
	connection->end -= connection->start;
	connection->start = 0;
	memcpy(connection->buffer + connection->end, bytes, size);
	connection->end += size;
	return give_output(connection), true;
}

static bool take_frames(void)
{
	size_t at = 0;
	while (in_bytes - at >= HEAD_BYTES) {
		size_t size = number_in(in + at + 4, 2);
		if (size > PIECE_BYTES)
			return false;
		if (in_bytes - at < HEAD_BYTES + size)
			break;
		if (out_bytes > OUT_BYTES - 64 || !take_frame(in[at], (uint16_t)number_in(in + at + 2, 2), in + at + HEAD_BYTES, size))
			return false;
		at += HEAD_BYTES + size;
	}
	memmove(in, in + at, in_bytes - at);
	in_bytes -= at;
	return true;
}

static bool read_channel(void)
{
	for (int reads = 0; reads < READS_MAX; reads++) {
		ssize_t got = read(channel, in + in_bytes, sizeof in - in_bytes);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (got <= 0)
			return false;
		in_bytes += (size_t)got;
		if (!take_frames())
			return false;
	}
	return true;
}

static bool flush_channel(void)
{
	while (out_bytes > 0) {
		ssize_t wrote = write(channel, out, out_bytes);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0 && errno == EAGAIN)
			return true;
		if (wrote <= 0)
			return false;
		out_bytes -= (size_t)wrote;
		memmove(out, out + wrote, out_bytes);
	}
	return true;
}

/* Whoever is connected sees an end, and whoever connects finds nobody. */
static void give_up(void)
{
	for (int each = 0; each < SOCKET_CONNECTIONS; each++)
		if (connections[each].fd >= 0)
			forget(&connections[each]);
	close(listener);
	close(channel);
	listener = channel = -1;
}

static void watch(struct pollfd *entry, int fd, int wanted)
{
	*entry = (struct pollfd){.fd = wanted == 0 ? -1 : fd, .events = (short)wanted};
}

static bool has_room(void)
{
	return out_bytes <= OUT_DATA_MAX - HEAD_BYTES - PIECE_BYTES;
}

void socket_watch(struct pollfd *polls)
{
	bool is_open = channel >= 0;
	watch(&polls[0], channel, is_open ? POLLIN | (out_bytes > 0 ? POLLOUT : 0) : 0);
	watch(&polls[1], listener, is_open && has_room() && free_place() != NULL ? POLLIN : 0);
	for (int each = 0; each < SOCKET_CONNECTIONS; each++) {
		const struct connection *connection = &connections[each];
		bool wants_input = has_room() && !connection->has_sent_end && connection->credit > 0;
		bool wants_output = connection->start < connection->end;
		int wanted = (wants_input ? POLLIN : 0) | (wants_output ? POLLOUT : 0);
		watch(&polls[2 + each], connection->fd, is_open && connection->fd >= 0 ? wanted : 0);
	}
}

void socket_step(const struct pollfd *polls)
{
	if (channel < 0)
		return;
	for (int each = 0; each < SOCKET_CONNECTIONS; each++) {
		struct connection *connection = &connections[each];
		short seen = polls[2 + each].revents;
		if ((seen & (POLLOUT | POLLERR | POLLHUP)) != 0 && connection->fd >= 0 && connection->start < connection->end)
			give_output(connection);
		if (seen != 0 && connection->fd >= 0 && has_room() && !connection->has_sent_end && connection->credit > 0)
			take_input(connection);
	}
	if (polls[1].revents != 0 && has_room())
		accept_one();
	if ((polls[0].revents != 0 && !read_channel()) || !flush_channel())
		give_up();
}
