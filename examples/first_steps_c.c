/* SPDX-License-Identifier: Apache-2.0
 * first_steps_c MODEL: as first_steps, in C. */
#include <stdio.h>
#include <stdlib.h>
#include <strake/strake.h>

static int complain(strake_status status) {
  fprintf(stderr, "%s\n", strake_last_error());
  return status == STRAKE_INVALID_INPUT ? 2 : 1;
}

static int run(strake_engine* engine) {
  strake_tensor input;
  strake_status status = strake_engine_input(engine, 0, &input);
  if (status != STRAKE_OK) return complain(status);

  size_t size = 1;
  for (size_t i = 0; i < input.rank; ++i) size *= (size_t)input.shape[i];
  float* frame = malloc(size * sizeof(float));
  if (frame == NULL) return 1;
  for (size_t i = 0; i < size; ++i) frame[i] = 0.5F;
  input.data = frame;
  input.n_bytes = size * sizeof(float);

  strake_result* result = NULL;
  strake_tensor output;
  status = strake_engine_run(engine, &input, 1, &result);
  free(frame);
  if (status == STRAKE_OK) status = strake_result_output(result, 0, &output);
  if (status != STRAKE_OK) return complain(status);

  const float* values = output.data;
  size_t largest = 0;
  for (size_t i = 1; i < output.n_bytes / sizeof(float); ++i)
    if (values[i] > values[largest]) largest = i;
  printf("%s: element %zu is largest, %.3f ms\n", output.name, largest, strake_result_latency_ms(result));
  strake_result_free(result);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) return fprintf(stderr, "usage: first_steps_c MODEL\n"), 2;
  strake_options* options = strake_options_new();
  strake_engine* engine = NULL;
  if (options == NULL) return 1;
  strake_status status = strake_options_set(options, "model", argv[1]);
  if (status == STRAKE_OK) status = strake_engine_open(options, &engine);
  strake_options_free(options);
  if (status != STRAKE_OK) return complain(status);
  const int code = strake_engine_is_root(engine) ? run(engine) : strake_engine_work(engine);
  strake_engine_free(engine);
  return code;
}
