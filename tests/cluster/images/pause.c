// The first process of a pod, which holds its namespaces: it reaps whatever is left to it, until it is told to end.
#include <signal.h>
#include <sys/wait.h>

int main(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGCHLD);
  sigprocmask(SIG_BLOCK, &signals, 0);
  for (int signal = 0;;) {
    if (sigwait(&signals, &signal) == 0 && signal != SIGCHLD) return 0;
    while (waitpid(-1, 0, WNOHANG) > 0) {
    }
  }
}
