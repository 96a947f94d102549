// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "core/box.hpp"
