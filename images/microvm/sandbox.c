#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN "/etc/isola/run"
/* Of the ends of a stream's socket: a body of 1 MiB fits a few times. */
#define SOCKET_BYTES (1024 * 1024)
/* Descriptors of the runtime, and a place above them. */
#define CONTROL_FD 3
#define GATE_FD 4
#define ABOVE 16
#define CANNOT_RUN 127

/* Ends of the sandbox, in the order of the descriptors that the runtime has them at; entry: of its control group. */
struct ends {
	int standard[3], control, gate, entry, reports;
};

__attribute__((noreturn)) static void trouble(const struct ends *ends, const char *what)
{
	struct report report = {.is_trouble = true};
	snprintf(report.text, sizeof report.text, "%s: %s", what, strerror(errno));
	write_all(ends->reports, &report, sizeof report);
	_exit(1);
}

/* The root of the sandbox becomes the root of all; what tells of the machine as a whole is not there. */
static void enter_root(const struct ends *ends)
{
	static const char *const masked[] = {"acpi", "asound", "bus", "interrupts", "kcore", "keys", "kmsg",
		"latency_stats", "sched_debug", "scsi", "sysvipc", "timer_list", "timer_stats"};
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		trouble(ends, "mounts cannot be made private");
	if (mount("proc", ROOT "/proc", "proc", flags, NULL) < 0)
		trouble(ends, "proc cannot be mounted");
	for (size_t each = 0; each < sizeof masked / sizeof *masked; each++) {
		char path[64];
		snprintf(path, sizeof path, ROOT "/proc/%s", masked[each]);
		if (mount(ROOT "/dev/null", path, NULL, MS_BIND, NULL) == 0 || errno == ENOENT)
			continue;
		/* A folder: an empty one in its place. */
		if (errno != ENOTDIR || mount("tmpfs", path, "tmpfs", flags | MS_RDONLY, "size=4k") < 0)
			trouble(ends, path);
	}
	if (mount(NULL, ROOT "/proc", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0)
		trouble(ends, "proc cannot be made read-only");
	if (chdir(ROOT) < 0 || mount(ROOT, "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/tmp") < 0)
		trouble(ends, "the root cannot be entered");
}

/* Program and arguments, one each line. */
static void read_command(const struct ends *ends, char *text, size_t size, char **args)
{
	if (read_text(RUN, text, size) <= 0)
		trouble(ends, RUN " cannot be read");
	size_t count = 0;
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n")) != NULL && count < ARGS_MAX;)
		if (*line != '\0')
			args[count++] = line;
	args[count] = NULL;
}

/* Puts the ends where the runtime has them, and closes everything else. */
static bool place_ends(const struct ends *ends)
{
	const int wanted[] = {ends->standard[0], ends->standard[1], ends->standard[2], ends->control, ends->gate};
	int moved[5];
	int count = ends->gate < 0 ? 4 : 5;
	for (int each = 0; each < count; each++)
		if ((moved[each] = fcntl(wanted[each], F_DUPFD_CLOEXEC, ABOVE)) < 0)
			return false;
	for (int each = 0; each < count; each++)
		if (dup2(moved[each], each) < 0)
			return false;
	return syscall(SYS_close_range, count, ~0u, 0) == 0;
}

__attribute__((noreturn)) static void run(const struct ends *ends)
{
	static char text[LINE_BYTES_MAX];
	static char *args[ARGS_MAX + 1];
	static char *environment[] = {"ISOLA_CONTROL=fd:3", "HOME=/tmp", "MALLOC_ARENA_MAX=1",
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", NULL, NULL};
	if (write(ends->entry, "0", 1) != 1 || unshare(CLONE_NEWCGROUP) < 0)
		trouble(ends, "the control group cannot be entered");
	read_command(ends, text, sizeof text, args);
	if (ends->gate >= 0)
		environment[5] = "ISOLA_GATE=fd:4";
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (!place_ends(ends))
		_exit(CANNOT_RUN);
	const char *problem = drop_rights();
	if (problem == NULL) {
		execve(args[0], args, environment);
		problem = args[0];
	}
	dprintf(2, "isola: %s: %s\n", problem, strerror(errno));
	_exit(CANNOT_RUN);
}

/* The first process of the sandbox: it waits for the runtime and for whatever the runtime leaves behind. With its end the kernel kills the rest. */
__attribute__((noreturn)) static void first_process(const struct ends *ends)
{
	/* Before /proc is read-only: the runtime may be killed for memory, this process not. */
	int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (score < 0 || write(score, "0", 1) != 1)
		trouble(ends, "oom_score_adj cannot be set");
	enter_root(ends);
	if (sethostname("sandbox", 7) < 0)
		trouble(ends, "the name of the machine cannot be set");
	struct ends inner = *ends;
	if ((inner.standard[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
		trouble(ends, "/dev/null cannot be opened");
	pid_t runtime = fork();
	if (runtime < 0)
		trouble(ends, "the runtime cannot be started");
	if (runtime == 0)
		run(&inner);
	if (write(score, "-1000", 5) != 5 || dup2(ends->reports, CONTROL_FD) < 0)
		trouble(ends, "the first process cannot be set up");
	struct ends own = {.reports = CONTROL_FD};
	fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
	syscall(SYS_close_range, CONTROL_FD + 1, ~0u, 0);
	prctl(PR_SET_NAME, "isola-init");
	const char *problem = drop_rights();
	if (problem != NULL || prctl(PR_SET_DUMPABLE, 0) < 0)
		trouble(&own, problem == NULL ? "dumps cannot be forbidden" : problem);
	for (struct report report = {0};;) {
		pid_t ended = waitpid(-1, &report.status, 0);
		if (ended < 0 && errno != EINTR)
			trouble(&own, "the runtime was lost");
		if (ended != runtime)
			continue;
		write_all(CONTROL_FD, &report, sizeof report);
		_exit(0);
	}
}

static bool stream(int *own, int *other)
{
	int pair[2];
	const int bytes = SOCKET_BYTES;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	for (int each = 0; each < 2; each++)
		setsockopt(pair[each], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
	*own = pair[0];
	*other = pair[1];
	return fcntl(*own, F_SETFL, O_NONBLOCK) == 0;
}

static bool output(int *own, int *other)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	*own = ends[0];
	*other = ends[1];
	return fcntl(*own, F_SETFL, O_NONBLOCK) == 0;
}

bool sandbox_start(struct sandbox *sandbox, bool has_gate)
{
	struct ends ends = {.standard = {-1, -1, -1}, .gate = -1};
	sandbox->gate = -1;
	ends.entry = group_entry();
	if (ends.entry < 0 || !stream(&sandbox->control, &ends.control) || !output(&sandbox->out, &ends.standard[1]) ||
	    !output(&sandbox->err, &ends.standard[2]) || !output(&sandbox->reports, &ends.reports) ||
	    (has_gate && !stream(&sandbox->gate, &ends.gate)))
		return false;
	const unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD;
	sandbox->pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (sandbox->pid < 0)
		return false;
	if (sandbox->pid == 0)
		first_process(&ends);
	const int inner[] = {ends.standard[1], ends.standard[2], ends.control, ends.gate, ends.entry, ends.reports};
	for (size_t each = 0; each < sizeof inner / sizeof *inner; each++)
		if (inner[each] >= 0)
			close(inner[each]);
	return true;
}
