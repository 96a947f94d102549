/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Strake's C interface: strake/engine.hpp with opaque handles. Functions that can fail give a status; the text of the
 * last error of this thread is in strake_last_error. What a function gives belongs to its handle unless it says
 * otherwise. */

#include <stddef.h>
#include <stdint.h>

#include "strake/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum strake_status {
  STRAKE_OK = 0,
  STRAKE_FAILED = 1,        /* a rank was lost, no memory, an error of Strake's */
  STRAKE_INVALID_INPUT = 2, /* the caller's to mend: the text says where, what was expected and what came */
  STRAKE_QUEUE_FULL = 3,
  STRAKE_DEADLINE_MISSED = 4
} strake_status;

/* In the order of strake::DataType. */
typedef enum strake_type {
  STRAKE_FLOAT32,
  STRAKE_UINT8,
  STRAKE_FLOAT16,
  STRAKE_FLOAT64,
  STRAKE_BFLOAT16,
  STRAKE_INT8,
  STRAKE_INT16,
  STRAKE_INT32,
  STRAKE_INT64,
  STRAKE_UINT16,
  STRAKE_UINT32,
  STRAKE_UINT64,
  STRAKE_BOOL
} strake_type;

/* A dense tensor in row-major order; somebody else owns all that it points to. */
typedef struct strake_tensor {
  const char* name;
  strake_type type;
  size_t rank; /* sizes in shape */
  const int64_t* shape;
  const void* data;
  size_t n_bytes;
} strake_tensor;

typedef struct strake_options strake_options;
typedef struct strake_engine strake_engine;
typedef struct strake_result strake_result;

/* Of the last call of this thread that failed; stays until the next that fails. Never NULL. */
STRAKE_API const char* strake_last_error(void);
STRAKE_API const char* strake_version(void);

/* NULL when there is no memory. Freed by the caller, also after an engine was made of it. */
STRAKE_API strake_options* strake_options_new(void);
STRAKE_API void strake_options_free(strake_options* options);
/* Names are the fields of strake::EngineOptions: model, strategy, objective, rate, inflight, plan, exact (0 or 1),
 * kernels, weights, transfer_dtype, axis, max_memory_mb, threads, timeout_ms, queue, when_full (block or refuse), late
 * (drop or finish). */
STRAKE_API strake_status strake_options_set(strake_options* options, const char* name, const char* value);
/* The shape of an input whose dimensions the model leaves open. */
STRAKE_API strake_status strake_options_set_shape(strake_options* options, const char* input, const int64_t* shape,
                                                  size_t rank);

/* Collective, as strake::Engine's constructor. The engine is freed by strake_engine_free. */
STRAKE_API strake_status strake_engine_open(const strake_options* options, strake_engine** engine);
/* Rank 0: runs what waits and lets the other ranks return from strake_engine_work. NULL is allowed. */
STRAKE_API void strake_engine_free(strake_engine* engine);
STRAKE_API int strake_engine_is_root(const strake_engine* engine);
/* Ranks other than 0: serves until rank 0 frees its engine; gives the exit code of the job. */
STRAKE_API int strake_engine_work(strake_engine* engine);
/* The i-th input of the model, without data; STRAKE_INVALID_INPUT behind the last. */
STRAKE_API strake_status strake_engine_input(const strake_engine* engine, size_t i, strake_tensor* info);

/* One frame, behind those that wait. Any thread. The result is freed by strake_result_free. */
STRAKE_API strake_status strake_engine_run(strake_engine* engine, const strake_tensor* inputs, size_t n_inputs,
                                           strake_result** result);
/* The same; STRAKE_DEADLINE_MISSED where its turn comes more than deadline_ms from now. Waits for the result. */
STRAKE_API strake_status strake_engine_run_until(strake_engine* engine, const strake_tensor* inputs, size_t n_inputs,
                                                 double deadline_ms, strake_result** result);

/* As strake::Client: frames to a running cluster (strake serve), from a process without MPI. Any thread.
 * address: of the supervisor, "tcp://edge-0:7300"; key_file: NULL or "" for addresses of this host. Waits for nobody.
 */
typedef struct strake_client strake_client;
STRAKE_API strake_status strake_client_open(const char* address, const char* key_file, strake_client** client);
/* Frames without results end with it. NULL is allowed. */
STRAKE_API void strake_client_free(strake_client* client);
/* The i-th input of what is served, without data; lives as long as the client. Waits up to longest_ms until a job takes
 * frames: STRAKE_FAILED when nobody answers in time. */
STRAKE_API strake_status strake_client_input(strake_client* client, size_t i, double longest_ms, strake_tensor* info);
/* One frame. Waits for its result, for which the cluster may lose a node or its supervisor. */
STRAKE_API strake_status strake_client_run(strake_client* client, const strake_tensor* inputs, size_t n_inputs,
                                           strake_result** result);
/* The same; STRAKE_DEADLINE_MISSED where there is no result deadline_ms from now. */
STRAKE_API strake_status strake_client_run_until(strake_client* client, const strake_tensor* inputs, size_t n_inputs,
                                                 double deadline_ms, strake_result** result);

STRAKE_API size_t strake_result_size(const strake_result* result);
/* The i-th output by name in alphabetical order; lives as long as the result. */
STRAKE_API strake_status strake_result_output(const strake_result* result, size_t i, strake_tensor* output);
STRAKE_API double strake_result_latency_ms(const strake_result* result);
STRAKE_API void strake_result_free(strake_result* result);

#ifdef __cplusplus
}
#endif
