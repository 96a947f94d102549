/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the shared library shows; everything else in it is hidden. */
#define STRAKE_API __attribute__((visibility("default")))
