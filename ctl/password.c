/* SPDX-License-Identifier: ISC */
/* A password from the terminal, without echo, or from a pipe. */
#include "ctl/password.h"

#include "common/secret.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

/* One line without its end; at most PASSWORD_MAX - 1 bytes. */
static int read_line(int fd, int signals, char out[PASSWORD_MAX])
{
	struct pollfd p[2] = {{fd, POLLIN, 0}, {signals, POLLIN, 0}};
	size_t len = 0;
	ssize_t n;
	char c;

	for (;;) {
		/* Without signals to look out for, read() may wait itself. */
		if (signals >= 0 && poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents)
			return -EINTR;
		/* Byte by byte: what follows the line is not ours. */
		n = read(fd, &c, 1);
		if (n < 0)
			return -errno;
		if (n == 0 || c == '\n')
			break;
		if (c == '\0')
			return -EINVAL;
		if (len == PASSWORD_MAX - 1)
			return -E2BIG;
		out[len++] = c;
	}
	if (len > 0 && out[len - 1] == '\r')
		len--;
	out[len] = '\0';
	return len ? 0 : -EINVAL;
}

static int ask(
    int fd, int signals, FILE *prompt, const char *text, char out[PASSWORD_MAX])
{
	int err;

	fputs(text, prompt);
	fflush(prompt);
	err = read_line(fd, signals, out);
	fputc('\n', prompt);
	return err;
}

static int ask_twice(int fd, int signals, FILE *prompt, char out[PASSWORD_MAX])
{
	char again[PASSWORD_MAX] = "";
	int err = ask(fd, signals, prompt, "Password: ", out);

	if (err == 0)
		err = ask(fd, signals, prompt, "Once more: ", again);
	if (err == 0 && (strlen(out) != strlen(again) ||
			    !secret_equal(out, again, strlen(out))))
		err = -EDOM;
	secret_wipe(again, sizeof(again));
	return err;
}

int password_read(int fd, FILE *prompt, char out[PASSWORD_MAX])
{
	struct signalfd_siginfo info = {0};
	struct termios old, quiet;
	sigset_t ours, before;
	int signals, err;

	memset(out, 0, PASSWORD_MAX);
	if (tcgetattr(fd, &old) < 0)
		return read_line(fd, -1, out);
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGQUIT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGTSTP);
	sigprocmask(SIG_BLOCK, &ours, &before);
	signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	tcsetattr(fd, TCSAFLUSH, &quiet);
	err = ask_twice(fd, signals, prompt, out);
	tcsetattr(fd, TCSAFLUSH, &old);
	if (err == -EINTR &&
	    read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		raise((int)info.ssi_signo);
	close(signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (err)
		secret_wipe(out, PASSWORD_MAX);
	return err;
}

const char *password_error(int err)
{
	switch (-err) {
	case EINVAL:
		return "the password is empty";
	case E2BIG:
		return "the password is too long";
	case EDOM:
		return "the two passwords differ";
	case EINTR:
		return "interrupted";
	default:
		return strerror(-err);
	}
}
