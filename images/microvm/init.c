/* The first program of a microVM's guest: README.md beside this file is its contract. */
#include "guest.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* 2000-01-01: long enough ago that everything which goes by the clock sees it leap. */
#define PAST 946684800000000000ull
/* What was written before the end is taken within this time, or never. */
#define HAND_OVER_MS 5000
/* From the last word to the end of the machine, for what is on its way through the VMM. */
#define FAREWELL_MS 100

enum { TO_RUNTIME, FROM_RUNTIME, OUT, ERR, RELAYS };
enum { AGENT_AT, EVENTS_AT, REPORTS_AT, GATE_AT, RELAYS_AT, SOCKET_AT = RELAYS_AT + 2 * RELAYS, POLLS = SOCKET_AT + SOCKET_POLLS };

/* blank -> preparing -> gated -> running -> ended; blank -> running where nothing was prepared. */
static enum { BLANK, PREPARING, GATED, RUNNING, ENDED } state = BLANK;
static struct agent agent;
static struct sandbox sandbox = {.control = -1, .out = -1, .err = -1, .gate = -1, .reports = -1};
static struct relay relays[RELAYS];
/* The `start` that waits for the gate; number 0: none. */
static struct question waiting;
static int events = -1;
static uint64_t kills;

static void failed(uint64_t number, const char *what)
{
	agent_say(&agent, "%" PRIu64 " failed %s: %s", number, what, strerror(errno));
}

static bool begin(const struct question *asked, bool has_gate)
{
	if (!group_limit(asked->memory, asked->pids) || !set_tmp_bytes(asked->tmp)) {
		failed(asked->number, "limits");
		return false;
	}
	if (!sandbox_start(&sandbox, has_gate)) {
		failed(asked->number, "the sandbox");
		return false;
	}
	return true;
}

static void prepare(const struct question *asked)
{
	if (state != BLANK) {
		agent_say(&agent, "%" PRIu64 " failed the runtime has been started", asked->number);
		return;
	}
	if (!set_clock(PAST)) {
		failed(asked->number, "the clock");
		return;
	}
	if (!begin(asked, true))
		return;
	open_ports();
	state = PREPARING;
	agent_say(&agent, "%" PRIu64 " ok", asked->number);
}

static bool dial_streams(int into[3])
{
	char at[LINE_BYTES_MAX];
	if (option_value("isola.socket=", at, sizeof at)) {
		int fd = dial(SOCKET, DIAL_MS);
		if (fd < 0)
			return false;
		socket_carry(fd);
	}
	for (int each = CONTROL; each <= STDERR; each++)
		if ((into[each] = dial((enum channel)each, DIAL_MS)) < 0)
			return false;
	return true;
}

static void relay_streams(const int channels[3])
{
	relay_open(&relays[TO_RUNTIME], channels[CONTROL], sandbox.control);
	relay_open(&relays[FROM_RUNTIME], sandbox.control, channels[CONTROL]);
	relay_open(&relays[OUT], sandbox.out, channels[STDOUT]);
	relay_open(&relays[ERR], sandbox.err, channels[STDERR]);
}

/* Everything of `start` but the runtime itself. A runtime at the gate gets the second half of the seed. */
static bool freshen(const struct question *asked, int channels[3])
{
	bool is_gated = state == GATED;
	if (!set_clock(asked->time))
		return failed(asked->number, "the clock"), false;
	if (!seed_kernel(asked->seed, is_gated ? SEED_BYTES : 2 * SEED_BYTES))
		return failed(asked->number, "the seed"), false;
	if (!dial_streams(channels))
		return failed(asked->number, "the streams"), false;
	return true;
}

static void open_gate(const struct question *asked)
{
	int channels[3];
	if (!freshen(asked, channels))
		return;
	if (!group_limit(asked->memory, asked->pids) || !set_tmp_bytes(asked->tmp)) {
		failed(asked->number, "limits");
		return;
	}
	if (!write_all(sandbox.gate, asked->seed + SEED_BYTES, SEED_BYTES)) {
		failed(asked->number, "the gate");
		return;
	}
	close(sandbox.gate);
	sandbox.gate = -1;
	relay_streams(channels);
	state = RUNNING;
	agent_say(&agent, "%" PRIu64 " ok", asked->number);
}

static void start(const struct question *asked)
{
	int channels[3];
	if (state == GATED)
		open_gate(asked);
	else if (state == PREPARING && waiting.number == 0)
		waiting = *asked;
	else if (state != BLANK)
		agent_say(&agent, "%" PRIu64 " failed the runtime has been started", asked->number);
	else if (freshen(asked, channels) && begin(asked, false)) {
		relay_streams(channels);
		state = RUNNING;
		agent_say(&agent, "%" PRIu64 " ok", asked->number);
	}
}

static void answer(const struct question *asked)
{
	uint64_t memory, cpu_micros, pids;
	bool is_done = false;
	if (asked->kind == USAGE) {
		if (!group_usage(&memory, &cpu_micros, &pids))
			return failed(asked->number, "usage");
		agent_say(&agent, "%" PRIu64 " ok %" PRIu64 " %" PRIu64 " %" PRIu64, asked->number, memory, cpu_micros, pids);
		return;
	}
	is_done = asked->kind == TIME ? set_clock(asked->time) : group_limit(asked->memory, asked->pids);
	if (!is_done)
		return failed(asked->number, asked->kind == TIME ? "the clock" : "limits");
	agent_say(&agent, "%" PRIu64 " ok", asked->number);
}

static void on_line(char *line)
{
	struct question asked;
	const char *problem = parse_line(line, &asked);
	if (problem != NULL && asked.number == 0)
		agent_say(&agent, "problem %s", problem);
	else if (problem != NULL)
		agent_say(&agent, "%" PRIu64 " failed %s", asked.number, problem);
	else if (asked.kind == PREPARE)
		prepare(&asked);
	else if (asked.kind == START)
		start(&asked);
	else
		answer(&asked);
}

/* The runtime stands at its gate, or has gone without a word: its report says the rest. */
static void on_gate(void)
{
	char byte;
	if (read(sandbox.gate, &byte, 1) != 1) {
		close(sandbox.gate);
		sandbox.gate = -1;
		return;
	}
	state = GATED;
	/* Nobody waits: a snapshot may be taken. */
	if (waiting.number == 0)
		clear_free_memory();
	agent_say(&agent, "gate");
	if (waiting.number == 0)
		return;
	open_gate(&waiting);
	waiting = (struct question){0};
}

static void note_kills(void)
{
	uint64_t now = group_kills(events);
	if (now > kills)
		agent_say(&agent, "oom");
	kills = now;
}

/* With vsock a snapshot has taken the connection: the host, another one perhaps, waits for the next. */
static void dial_agent(const char *greeting)
{
	agent.fd = dial(AGENT, DIAL_MS);
	if (agent.fd < 0)
		fatal("the host does not answer");
	agent.in_bytes = agent.out_bytes = 0;
	agent.is_skipping = false;
	if (greeting != NULL)
		agent_say(&agent, "%s", greeting);
}

static void redial_agent(void)
{
	close(agent.fd);
	if (is_vsock())
		dial_agent(state == GATED ? "gate" : "up 1");
	else
		dial_agent(NULL);
}

static void watch(struct pollfd *entry, int fd, short wanted)
{
	*entry = (struct pollfd){.fd = wanted == 0 ? -1 : fd, .events = wanted};
}

static void watch_all(struct pollfd *polls)
{
	short wanted = (short)((agent_has_room(&agent) ? POLLIN : 0) | (agent.out_bytes > 0 ? POLLOUT : 0));
	watch(&polls[AGENT_AT], agent.fd, wanted);
	watch(&polls[EVENTS_AT], events, POLLPRI);
	watch(&polls[REPORTS_AT], sandbox.reports, POLLIN);
	watch(&polls[GATE_AT], state == PREPARING ? sandbox.gate : -1, POLLIN);
	for (int each = 0; each < RELAYS; each++) {
		const struct relay *relay = &relays[each];
		watch(&polls[RELAYS_AT + 2 * each], relay->from, relay_wants_input(relay) ? POLLIN : 0);
		watch(&polls[RELAYS_AT + 2 * each + 1], relay->to, relay_wants_output(relay) ? POLLOUT : 0);
	}
	socket_watch(&polls[SOCKET_AT]);
}

/* The other side is told that nothing more comes, and whoever goes on writing that nobody takes it. */
static void end_relay(int each)
{
	struct relay *relay = &relays[each];
	if (each == TO_RUNTIME || is_vsock())
		shutdown(relay->to, SHUT_WR);
	if (!relay->is_broken)
		return;
	if (each == OUT || each == ERR)
		close(relay->from);
	else if (each == FROM_RUNTIME)
		shutdown(relay->from, SHUT_RD);
}

static void step_relays(const struct pollfd *polls)
{
	for (int each = 0; each < RELAYS; each++) {
		struct relay *relay = &relays[each];
		short from = polls[RELAYS_AT + 2 * each].revents, to = polls[RELAYS_AT + 2 * each + 1].revents;
		if (from == 0 && to == 0)
			continue;
		/* A port without its other end hangs up and takes nothing. */
		if ((to & (POLLHUP | POLLERR)) != 0 && (to & POLLOUT) == 0)
			relay_break(relay);
		else
			relay_step(relay);
		if (relay_is_done(relay))
			end_relay(each);
	}
}

/* One turn over everything that can happen; nothing within the time is a turn too. */
static void turn(int within_ms)
{
	struct pollfd polls[POLLS];
	watch_all(polls);
	if (poll(polls, POLLS, within_ms) <= 0)
		return;
	if ((polls[EVENTS_AT].revents & POLLPRI) != 0)
		note_kills();
	step_relays(polls);
	socket_step(&polls[SOCKET_AT]);
	if (polls[GATE_AT].revents != 0)
		on_gate();
	bool is_whole = true;
	if ((polls[AGENT_AT].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		is_whole = agent_read(&agent, on_line);
	if (!is_whole || !agent_flush(&agent))
		redial_agent();
	if (polls[REPORTS_AT].revents != 0)
		state = ENDED;
}

static bool is_handed_over(void)
{
	return relay_is_done(&relays[FROM_RUNTIME]) && relay_is_done(&relays[OUT]) && relay_is_done(&relays[ERR]);
}

/* The report, and what the runtime has written before. */
static void end(void)
{
	struct report report = {.is_trouble = true, .text = "the first process of the sandbox was lost"};
	ssize_t got = read(sandbox.reports, &report, sizeof report);
	close(sandbox.reports);
	sandbox.reports = -1;
	/* With its first process everything in the sandbox ends. */
	kill(sandbox.pid, SIGKILL);
	while (waitpid(sandbox.pid, NULL, 0) < 0 && errno == EINTR)
		;
	for (int64_t until = now_ms() + HAND_OVER_MS; !is_handed_over() && now_ms() < until;)
		turn(10);
	note_kills();
	if (report.is_trouble || got != (ssize_t)sizeof report)
		agent_say(&agent, "problem %.*s", TEXT_BYTES_MAX, report.text);
	if (report.is_trouble)
		agent_say(&agent, "exit code 1");
	else if (WIFSIGNALED(report.status))
		agent_say(&agent, "exit signal %d", WTERMSIG(report.status));
	else
		agent_say(&agent, "exit code %d", WEXITSTATUS(report.status));
	if (waiting.number != 0)
		agent_say(&agent, "%" PRIu64 " failed the runtime has ended at its start", waiting.number);
	for (int64_t until = now_ms() + HAND_OVER_MS; agent.out_bytes > 0 && now_ms() < until;)
		turn(10);
	sleep_ms(FAREWELL_MS);
}

int main(void)
{
	boot();
	events = group_events();
	if (events < 0)
		fatal("the control group cannot be watched");
	kills = group_kills(events);
	dial_agent("up 1");
	while (state != ENDED)
		turn(-1);
	end();
	reboot(RB_AUTOBOOT);
	fatal("the machine does not end");
}
