// SPDX-License-Identifier: Apache-2.0
#include <mpi.h>

#include "../kernels/kernel.hpp"
#include "engine/program.hpp"
