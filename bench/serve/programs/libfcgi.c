/* Hello by libfcgi: one process, one connection at a time, as the library has it. The first parameter is the socket. */
#include <fcgiapp.h>
#include <stdio.h>

int main(int count, char **words) {
  FCGX_Request request;
  if (count != 2 || FCGX_Init() != 0) return 2;
  const int listener = FCGX_OpenSocket(words[1], 511);
  if (listener < 0 || FCGX_InitRequest(&request, listener, 0) != 0) return 1;
  puts("listening libfcgi");
  fflush(stdout);
  while (FCGX_Accept_r(&request) == 0) {
    FCGX_FPrintF(request.out, "Content-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n");
    FCGX_Finish_r(&request);
  }
  return 0;
}
