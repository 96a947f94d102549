// SPDX-License-Identifier: Apache-2.0
// Products of two matrices that are both computed: small ones, behind the spatial part.

#include <vector>

#include "kernels/makers.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

// Offset of batch `index` of the destination in an operand, whose batch axes may be missing or of size 1.
Index batch_offset(const View& operand, const View& dst, Index index) {
  Index offset = 0;
  const std::size_t missing = dst.box.rank() - operand.box.rank();
  for (std::size_t axis = dst.box.rank() - 2; axis-- > 0;) {
    const Index size = dst.box[axis].size();
    const Index at = index % size;
    index /= size;
    if (axis >= missing && operand.box[axis - missing].size() > 1) offset += at * operand.strides[axis - missing];
  }
  return offset;
}

struct Steps {
  Index row;
  Index column;
};

Steps steps_of(const View& view) {
  const std::size_t n = view.box.rank();
  return {view.strides[n - 2], view.strides[n - 1]};
}

}  // namespace

KernelPtr make_matmul(const MakeContext& context) {
  const View a = context.request.src[0];
  const View b = context.request.src[1];
  const View dst = context.request.dst;
  return make_own(
      [a, b, dst] {
        const std::size_t n_axes = dst.box.rank();
        const Index m = dst.box[n_axes - 2].size();
        const Index n = dst.box[n_axes - 1].size();
        const Index k = a.box[a.box.rank() - 1].size();
        Index batches = 1;
        for (std::size_t axis = 0; axis + 2 < n_axes; ++axis) batches *= dst.box[axis].size();
        const Steps sa = steps_of(a);
        const Steps sb = steps_of(b);
        const Steps sd = steps_of(dst);
#pragma omp parallel for collapse(2) schedule(static) if (batches * m * n * k > parallel_floats)
        for (Index batch = 0; batch < batches; ++batch)
          for (Index i = 0; i < m; ++i) {
            const float* row = a.floats() + batch_offset(a, dst, batch) + i * sa.row;
            const float* matrix = b.floats() + batch_offset(b, dst, batch);
            float* out = dst.floats() + batch_offset(dst, dst, batch) + i * sd.row;
            for (Index j = 0; j < n; ++j) out[j * sd.column] = 0;
            for (Index p = 0; p < k; ++p)
              for (Index j = 0; j < n; ++j)
                out[j * sd.column] += row[p * sa.column] * matrix[p * sb.row + j * sb.column];
          }
      },
      "own_matmul");
}

}  // namespace strake::kernels
