// SPDX-License-Identifier: Apache-2.0
#include <oneapi/dnnl/dnnl.hpp>

#include "comm/communicator.hpp"
#include "kernels/kernel.hpp"
