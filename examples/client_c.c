/* SPDX-License-Identifier: Apache-2.0
 * client_c ADDRESS FRAMES [KEY]: as client, in C and one frame after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <strake/strake.h>

static int complain(strake_status status) {
  fprintf(stderr, "%s\n", strake_last_error());
  return status == STRAKE_INVALID_INPUT ? 2 : 1;
}

static int run(strake_client* client, int frames) {
  strake_tensor input;
  strake_status status = strake_client_input(client, 0, 60000, &input);
  if (status != STRAKE_OK) return complain(status);
  size_t size = 1;
  for (size_t i = 0; i < input.rank; ++i) size *= (size_t)input.shape[i];
  float* frame = calloc(size, sizeof(float));
  if (frame == NULL) return 1;
  input.data = frame;
  input.n_bytes = size * sizeof(float);

  int answered = 0;
  int missed = 0;
  for (int i = 0; i < frames && (status == STRAKE_OK || status == STRAKE_DEADLINE_MISSED); ++i) {
    strake_result* result = NULL;
    status = strake_client_run_until(client, &input, 1, 60000, &result);
    if (status == STRAKE_OK) ++answered;
    if (status == STRAKE_DEADLINE_MISSED) ++missed;
    strake_result_free(result);
  }
  free(frame);
  if (status != STRAKE_OK && status != STRAKE_DEADLINE_MISSED) return complain(status);
  printf("%d answered, %d missed\n", answered, missed);
  return 0;
}

int main(int argc, char** argv) {
  if (argc < 3) return fprintf(stderr, "usage: client_c ADDRESS FRAMES [KEY]\n"), 2;
  strake_client* client = NULL;
  const strake_status status = strake_client_open(argv[1], argc > 3 ? argv[3] : NULL, &client);
  if (status != STRAKE_OK) return complain(status);
  const int code = run(client, atoi(argv[2]));
  strake_client_free(client);
  return code;
}
