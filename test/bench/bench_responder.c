/* SPDX-License-Identifier: ISC */
/* The responder: engine, monitor and a null l2tpd, each a process. */
#include "test/bench/bench.h"

#include "common/alloc.h"
#include "common/chan.h"
#include "common/peer_link.h"
#include "common/privsep.h"
#include "common/vault.h"
#include "common/proc.h"
#include "common/seccomp_list.h"
#include "ikev1/engine.h"
#include "ikev1/mon_ops.h"
#include "ikev1/udp.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH_FD 40 /* above those that an engine inherits by number */
#define CLIENTS_MAX 16383

static const char conf_text[] = "ike {\n"
				"	listen = {\"127.0.0.1\"}\n"
				"	max-per-address = 16383\n"
				"}\n"
				"l2tp {\n"
				"	pool = \"10.64.0.1-10.64.63.255\"\n"
				"	local = \"10.127.0.1\"\n"
				"	max-clients = 16383\n"
				"}\n";

static void quiet_log(struct log *log, const char *program)
{
	log_init(log, program, LOG_SEV_INFO);
	if (!getenv("BENCH_LOG"))
		log->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static pid_t spawn(void)
{
	pid_t pid = fork();

	if (pid < 0)
		bench_die("fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* --- l2tpd --------------------------------------------------------------- */

static void on_link(void *ctx, struct chan *chan, const struct msg_header *hdr,
    const void *body, int fd)
{
	const struct peer_up *up = body;
	struct peer_note ready = {.r = up->r};

	(void)ctx;
	if (fd >= 0)
		close(fd);
	if (hdr->type != PEER_UP)
		return;
	ready.slot = up->slot;
	chan_send(chan, PEER_READY, 0, &ready, -1);
}

static void on_link_end(void *ctx, struct chan *chan, int error)
{
	(void)chan;
	(void)error;
	uv_stop(ctx);
}

/* As l2tpd/engine_ike.c, but that it does nothing. */
static void run_l2tpd(int fd)
{
	const struct peer_list_end end = {0};
	uv_loop_t loop;
	const struct chan_handlers handlers = {on_link, on_link_end, &loop};
	struct chan *chan;

	proc_be_patient();
	if (uv_loop_init(&loop))
		bench_die("l2tpd does not start");
	chan = chan_open(&loop, fd, &peer_link_table, &handlers);
	chan_gather(chan);
	chan_send(chan, PEER_LIST_END, 0, &end, -1);
	uv_run(&loop, UV_RUN_DEFAULT);
}

/* --- the monitor --------------------------------------------------------- */

struct monitor {
	uv_loop_t loop;
	struct log log;
	struct crypto crypto;
	struct mon *mon;
	struct chan *chan;
	int link_fd;
	struct bench_shared *shared;
};

static int null_add(void *ctx, const struct ike_kernel_sa *sa)
{
	struct monitor *m = ctx;

	if (sa->dir == IKE_SA_OUT)
		atomic_fetch_add(&m->shared->outbound, 1);
	return 0;
}

static int null_del(void *ctx, const struct ike_kernel_sa *sa)
{
	(void)ctx;
	(void)sa;
	return 0;
}

static int null_query(
    void *ctx, const struct ike_kernel_sa *sa, struct sa_usage *out)
{
	(void)ctx;
	(void)sa;
	*out = (struct sa_usage){.packets = 1};
	return 0;
}

static int null_flush(void *ctx)
{
	(void)ctx;
	return 0;
}

static int null_list(void *ctx, struct ike_kernel_sa **out, size_t *count)
{
	(void)ctx;
	*out = NULL;
	*count = 0;
	return 0;
}

static const struct sa_ops null_ops = {.add = null_add,
    .del = null_del,
    .encap = null_del,
    .query = null_query,
    .list = null_list,
    .flush = null_flush};

static void send_engine(void *ctx, uint16_t type, const void *body)
{
	struct monitor *m = ctx;

	chan_send(m->chan, type, 0, body, -1);
}

static void link_wanted(void *ctx)
{
	const struct im_job none = {0};
	struct monitor *m = ctx;

	chan_send(m->chan, IM_LINK, 0, &none, m->link_fd);
}

static uint64_t now_ms(void *ctx)
{
	(void)ctx;
	return uv_hrtime() / 1000000;
}

static void on_message(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct monitor *m = ctx;

	(void)chan;
	if (fd >= 0)
		close(fd);
	if (mon_handle(m->mon, hdr, body))
		bench_die("the monitor refused its engine");
}

static void on_end(void *ctx, struct chan *chan, int error)
{
	(void)chan;
	(void)error;
	uv_stop(&((struct monitor *)ctx)->loop);
}

static void run_monitor(struct bench_responder *r, int chan_fd, int link_fd)
{
	struct monitor m = {.link_fd = link_fd, .shared = r->shared};
	const struct chan_handlers handlers = {on_message, on_end, &m};
	struct mon_env env = {.log = &m.log,
	    .crypto = &m.crypto,
	    .sa_ops = &null_ops,
	    .sa_ctx = &m,
	    .max_clients = CLIENTS_MAX,
	    .send = send_engine,
	    .link_wanted = link_wanted,
	    .now_ms = now_ms,
	    .ctx = &m};
	char error[CONF_ERROR_MAX], path[96];
	struct psk *psk;
	struct rnum *rnum;

	quiet_log(&m.log, "ikev1d");
	proc_be_patient();
	snprintf(path, sizeof(path), "%s/r", r->dir);
	if (crypto_init(&m.crypto) || rnum_open(path, &rnum) ||
	    psk_parse("any \"" BENCH_PSK "\"\n", "psk", &psk, error) ||
	    uv_loop_init(&m.loop))
		bench_die("the monitor does not start");
	env.psk = psk;
	env.rnum = rnum;
	m.chan = chan_open(&m.loop, chan_fd, &im_table, &handlers);
	chan_gather(m.chan);
	m.mon = mon_new(&env);
	mon_engine_started(m.mon);
	uv_run(&m.loop, UV_RUN_DEFAULT);
}

/* --- the engine ---------------------------------------------------------- */

static void no_work(uv_work_t *work)
{
	(void)work;
}

static void after_no_work(uv_work_t *work, int status)
{
	(void)status;
	free(work);
}

/* As privsep_lock_in(), but for what takes root: the user, the directory. */
static int lock_in(struct log *log, const char *user, uv_loop_t *loop)
{
	uv_work_t *work = xcalloc(1, sizeof(*work));

	(void)user;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    uv_queue_work(loop, work, no_work, after_no_work))
		return -1;
	return seccomp_list_load(log);
}

static int udp_socket(struct addr *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1;
	int size = 1 << 20;
	struct sockaddr_storage ss;
	socklen_t len;

	addr_parse(at, "127.0.0.1");
	at->port = 0;
	len = addr_to_sockaddr(at, &ss);
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&ss, len) || udp_local(fd, at))
		bench_die("a UDP socket");
	return fd;
}

static int ctl_socket(const char *dir)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/ctl", dir);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(fd, 1))
		bench_die("a control socket");
	return fd;
}

static int conf_file(void)
{
	int fd = memfd_create("conf", 0);

	if (fd < 0 || write(fd, conf_text, strlen(conf_text)) < 0)
		bench_die("a file in memory");
	return fd;
}

#define VAULT_BYTES (CLIENTS_MAX * 16384u) /* as monitor_start.c has it */

static int vault(void)
{
	struct vault_hold *hold;

	if (vault_hold_new(VAULT_BYTES, &hold))
		bench_die("memory for the next engine");
	return vault_hold_fd(hold);
}

/* fds in the order that an engine expects them, from PRIVSEP_CHAN_FD on. */
static void run_engine(const int *fds, size_t count)
{
	struct log log;
	int high[8];

	quiet_log(&log, "ikev1d");
	for (size_t i = 0; i < count; i++)
		high[i] = fcntl(fds[i], F_DUPFD, HIGH_FD);
	for (size_t i = 0; i < count; i++)
		dup2(high[i], PRIVSEP_CHAN_FD + (int)i);
	exit(engine_run_with(&log, lock_in));
}

/* --- all of them --------------------------------------------------------- */

static void pair(int sv[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv))
		bench_die("a pair of sockets");
}

void bench_responder_start(struct bench_responder *r)
{
	struct addr second;
	int chan[2], link[2], fds[6];

	strcpy(r->dir, "/tmp/sallyport-bench.XXXXXX");
	r->shared = mmap(NULL, sizeof(*r->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->shared == MAP_FAILED || !mkdtemp(r->dir))
		bench_die("a temporary directory");
	pair(chan);
	pair(link);
	fds[0] = chan[0];
	fds[1] = conf_file();
	fds[2] = ctl_socket(r->dir);
	fds[3] = vault();
	fds[4] = udp_socket(&r->at);
	fds[5] = udp_socket(&second);
	if (!(r->l2tpd = spawn())) {
		run_l2tpd(link[0]);
		_exit(0);
	}
	if (!(r->monitor = spawn())) {
		run_monitor(r, chan[1], link[1]);
		_exit(0);
	}
	if (!(r->engine = spawn()))
		run_engine(fds, 6);
	close(chan[0]);
	close(chan[1]);
	close(link[0]);
	close(link[1]);
	for (size_t i = 1; i < 6; i++)
		close(fds[i]);
}

double bench_responder_us(const struct bench_responder *r)
{
	return bench_cpu_us_of(r->engine) + bench_cpu_us_of(r->monitor);
}

void bench_responder_wait(const struct bench_responder *r, unsigned int count)
{
	for (int i = 0; i < 5000; i++) {
		if (atomic_load(&r->shared->outbound) >= count)
			return;
		usleep(1000);
	}
	bench_die("outbound SAs were not ordered");
}

static void end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void bench_responder_stop(struct bench_responder *r)
{
	char path[96];

	end(r->engine);
	end(r->monitor);
	end(r->l2tpd);
	snprintf(path, sizeof(path), "%s/r", r->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/ctl", r->dir);
	unlink(path);
	rmdir(r->dir);
	munmap(r->shared, sizeof(*r->shared));
}
