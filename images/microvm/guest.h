/* What the files of the guest's first program share. README.md beside this file is its contract. */
#ifndef ISOLA_GUEST_H
#define ISOLA_GUEST_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* User and group of the code. */
#define NOBODY 65534
/* Where the sandbox's root is mounted in init's own view. */
#define ROOT "/root"
#define LINE_BYTES_MAX 4096
#define TEXT_BYTES_MAX 200
#define SEED_BYTES 64
#define MODULES_MAX 64
#define ARGS_MAX 32
/* Until the VMM's devices are there, and until the host listens. */
#define DIAL_MS 10000
#define REDIAL_MS 5

/* files.c */
__attribute__((noreturn, format(printf, 1, 2))) void fatal(const char *format, ...);
bool write_text(const char *path, const char *text);
/* Ends what was read with a NUL; -1: not read, or longer than `size`. */
ssize_t read_text(const char *path, char *into, size_t size);
bool write_all(int fd, const void *bytes, size_t size);
int64_t now_ms(void);
void sleep_ms(int ms);
/* Most of it holds what was there before: zeros take no room in a snapshot, and no time when it is read. */
void clear_free_memory(void);

/* boot.c */
/* Everything up to the moment at which a host can be spoken to. `has_tools`: a second image is mounted. */
void boot(void);
/* Whether a word stands on the kernel's command line. */
bool has_option(const char *word);
/* What stands behind `word=` there, in `into`; false: there is no such word. */
bool option_value(const char *word, char *into, size_t size);
/* Costs nothing where that is its size. */
bool set_tmp_bytes(uint64_t bytes);

/* channel.c */
enum channel { CONTROL, STDOUT, STDERR, AGENT, SOCKET };
/* A descriptor, non-blocking, whose other end is there; -1 where it was not within the time. */
int dial(enum channel channel, int within_ms);
/* Does what of the dialling of a runtime's streams can be done before the host has its ends. */
void open_ports(void);
bool is_vsock(void);

/* relay.c: one direction of a stream, with a buffer that bounds it. */
struct relay {
	int from, to;
	char *buffer;
	size_t start, end;
	/* Nothing more will be read; nothing more can be written. */
	bool has_ended, is_broken;
};
void relay_open(struct relay *relay, int from, int to);
bool relay_wants_input(const struct relay *relay);
bool relay_wants_output(const struct relay *relay);
void relay_step(struct relay *relay);
/* The other end of `to` is gone. */
void relay_break(struct relay *relay);
/* Everything was handed over, or cannot be. */
bool relay_is_done(const struct relay *relay);

/* group.c: the control group of the code. */
void group_make(void);
/* Costs nothing where these are in force. */
bool group_limit(uint64_t memory, uint64_t pids);
/* Of `cgroup.procs`, for a process that shall enter. */
int group_entry(void);
/* Of `memory.events`: wakes with POLLPRI, until it is read. */
int group_events(void);
/* How often the kernel has killed something in it for memory; reads that descriptor. */
uint64_t group_kills(int events);
bool group_usage(uint64_t *memory, uint64_t *cpu_micros, uint64_t *pids);

/* socket.c */
#define SOCKET_CONNECTIONS 32
#define SOCKET_POLLS (2 + SOCKET_CONNECTIONS)
/* Listens at a path of the sandbox. Before `socket_carry` whoever connects there waits. */
void socket_listen(const char *at);
void socket_carry(int fd);
void socket_watch(struct pollfd *polls);
void socket_step(const struct pollfd *polls);

/* clock.c */
bool set_clock(uint64_t nanoseconds);
/* Once, before the first `seed_kernel`. */
bool open_generator(void);
bool seed_kernel(const unsigned char *bytes, size_t size);

/* sandbox.c */
struct sandbox {
	pid_t pid;
	/* Ends of init. gate is -1 where there is none. */
	int control, out, err, gate, reports;
};
/* What the first process of the sandbox says: once, at its end. */
struct report {
	bool is_trouble;
	/* As of waitpid: how the runtime has ended. */
	int status;
	char text[TEXT_BYTES_MAX];
};
bool sandbox_start(struct sandbox *sandbox, bool has_gate);

/* rights.c: gives up everything that a process of a sandbox may not have, for ever. Text of what failed, or NULL. */
void filter_read(void);
const char *drop_rights(void);

/* agent.c: lines between host and init. */
struct agent {
	int fd;
	char in[LINE_BYTES_MAX];
	size_t in_bytes;
	bool is_skipping;
	char out[16 * LINE_BYTES_MAX];
	size_t out_bytes;
};
/* Hands every whole line on; false: the channel is broken. */
bool agent_read(struct agent *agent, void (*on_line)(char *line));
bool agent_flush(struct agent *agent);
/* No question is taken while the answers to earlier ones are not taken. */
bool agent_has_room(const struct agent *agent);
__attribute__((format(printf, 2, 3))) void agent_say(struct agent *agent, const char *format, ...);

/* lines.c: what a line says. */
struct question {
	uint64_t number;
	enum { PREPARE, START, LIMITS, TIME, USAGE } kind;
	uint64_t time, memory, pids, tmp;
	unsigned char seed[2 * SEED_BYTES];
};
/* NULL: understood; else what is wrong with it. `number` is set wherever there is one. */
const char *parse_line(char *line, struct question *question);

#endif
