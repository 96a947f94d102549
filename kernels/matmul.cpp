// SPDX-License-Identifier: Apache-2.0
// Products of two matrices, with one order of additions: along the summed axis, whatever the box.

#include <omp.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "core/errors.hpp"
#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"
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

// Integers are added and multiplied without a sign, where nothing overflows.
template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, T, std::uint64_t>;

// One row: out[j] = sum over p of row[p] * matrix[p, j].
template <class T>
void multiply_row(const T* row, Index row_step, const T* matrix, Steps steps, T* out, Index out_step, Index k,
                  Index n) {
  for (Index j = 0; j < n; ++j) out[j * out_step] = T{0};
  for (Index p = 0; p < k; ++p) {
    // NOLINTNEXTLINE(bugprone-signed-char-misuse): products of integers wrap.
    const auto factor = static_cast<Wide<T>>(row[p * row_step]);
    const T* from = matrix + p * steps.row;
    for (Index j = 0; j < n; ++j)
      out[j * out_step] = static_cast<T>(static_cast<Wide<T>>(out[j * out_step]) +
                                         factor * static_cast<Wide<T>>(from[j * steps.column]));
  }
}

/// The sizes of a product and of the list of products that its leading axes make.
struct Sizes {
  explicit Sizes(const View& a, const View& dst)
      : rows(dst.box[dst.box.rank() - 2].size()),
        columns(dst.box[dst.box.rank() - 1].size()),
        summed(a.box[a.box.rank() - 1].size()),
        products(dst.box.volume() / (rows * columns)) {}
  Index rows;
  Index columns;
  Index summed;
  Index products;
  [[nodiscard]] Index work() const { return products * rows * columns * summed; }
};

template <class T>
KernelPtr make_typed(const View& a, const View& b, const View& dst) {
  return make_own(
      [a, b, dst, sizes = Sizes(a, dst)] {
        const Steps sa = steps_of(a);
        const Steps sd = steps_of(dst);
        const auto at = [](const View& view, Index offset) { return reinterpret_cast<T*>(view.data) + offset; };
#pragma omp parallel for collapse(2) schedule(static) if (sizes.work() > parallel_floats)
        for (Index batch = 0; batch < sizes.products; ++batch)
          for (Index i = 0; i < sizes.rows; ++i)
            multiply_row<T>(at(a, batch_offset(a, dst, batch) + i * sa.row), sa.column,
                            at(b, batch_offset(b, dst, batch)), steps_of(b),
                            at(dst, batch_offset(dst, dst, batch) + i * sd.row), sd.column, sizes.summed,
                            sizes.columns);
      },
      "own_matmul");
}

// ---- floats -------------------------------------------------------------------------------------------------------

constexpr Index panel_width = 64;  // columns whose sums stay in the first cache
constexpr Index block_rows = 4;    // rows that share what is loaded of the second operand

/// Columns of the second operand that lie side by side.
struct Panel {
  const float* cells;
  Index step;  // floats from row to row
};

// out(row, column) = sum over p of a(row, p) * panel(p, column), p ascending.
STRAKE_MULTIVERSION void multiply_block(const float* a, Steps steps, Index rows, Panel panel, Index summed,
                                        float* __restrict out) {
  for (Index i = 0; i < rows * panel_width; ++i) out[i] = 0;
  for (Index p = 0; p < summed; ++p)
    for (Index row = 0; row < rows; ++row) {
      const float factor = a[row * steps.row + p * steps.column];
      for (Index j = 0; j < panel_width; ++j) out[row * panel_width + j] += factor * panel.cells[p * panel.step + j];
    }
}

/// Panels of the second operand are packed, so that any layout of it runs at the speed of a dense one.
class FloatProduct {
 public:
  FloatProduct(const View& a, const View& b, const View& dst, Workspace& workspace)
      : a_(a), b_(b), dst_(dst), sizes_(a, dst), workspace_(&workspace) {
    workspace.reserve(static_cast<std::size_t>(omp_get_max_threads() * panel_floats()) * sizeof(float));
  }

  void operator()() const {
    const Index panels = (sizes_.columns + panel_width - 1) / panel_width;
#pragma omp parallel for collapse(2) schedule(static) if (sizes_.work() > parallel_floats)
    for (Index batch = 0; batch < sizes_.products; ++batch)
      for (Index i = 0; i < panels; ++i) multiply_panel(batch, i * panel_width);
  }

 private:
  Index panel_floats() const { return sizes_.summed * panel_width; }

  // Where few rows read it, a panel that lies well is not worth a copy.
  Panel panel_of(Index batch, Index first, Index n) const {
    const Steps steps = steps_of(b_);
    const float* from = b_.floats() + batch_offset(b_, dst_, batch) + first * steps.column;
    if (sizes_.rows <= block_rows && n == panel_width && steps.column == 1) return {from, steps.row};
    float* packed = reinterpret_cast<float*>(workspace_->data()) + omp_get_thread_num() * panel_floats();
    for (Index p = 0; p < sizes_.summed; ++p)
      for (Index j = 0; j < panel_width; ++j)
        packed[p * panel_width + j] = j < n ? from[p * steps.row + j * steps.column] : 0.0F;
    return {packed, panel_width};
  }

  void multiply_panel(Index batch, Index first) const {
    const Index n = std::min(panel_width, sizes_.columns - first);
    const Panel panel = panel_of(batch, first, n);
    const Steps sa = steps_of(a_);
    const Steps sd = steps_of(dst_);
    const float* a = a_.floats() + batch_offset(a_, dst_, batch);
    float* out = dst_.floats() + batch_offset(dst_, dst_, batch) + first * sd.column;
    std::array<float, block_rows * panel_width> block;
    for (Index row = 0; row < sizes_.rows; row += block_rows) {
      const Index rows = std::min(block_rows, sizes_.rows - row);
      multiply_block(a + row * sa.row, sa, rows, panel, sizes_.summed, block.data());
      for (Index r = 0; r < rows; ++r)
        for (Index j = 0; j < n; ++j)
          out[(row + r) * sd.row + j * sd.column] = block[static_cast<std::size_t>(r * panel_width + j)];
    }
  }

  View a_;
  View b_;
  View dst_;
  Sizes sizes_;
  Workspace* workspace_;
};

}  // namespace

KernelPtr make_matmul(const MakeContext& context) {
  const View& a = context.request.src[0];
  const View& b = context.request.src[1];
  if (context.op().type == ElementType::f32)
    return make_own(FloatProduct(a, b, context.request.dst, context.workspace), "own_matmul");
  return with_type(context.op().type, [&]<class T>(std::type_identity<T>) -> KernelPtr {
    if constexpr (std::is_same_v<T, bool>)
      throw Bug("internal error: booleans are not multiplied");
    else
      return make_typed<T>(a, b, context.request.dst);
  });
}

}  // namespace strake::kernels
