// SPDX-License-Identifier: Apache-2.0
#include "core/errors.hpp"
#include "kernels/kernel.hpp"
#include "kernels/makers.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

class FunctionKernel final : public Kernel {
 public:
  FunctionKernel(std::function<void()> body, std::string implementation)
      : body_(std::move(body)), implementation_(std::move(implementation)) {}
  void run() override { body_(); }
  [[nodiscard]] std::string implementation() const override { return implementation_; }

 private:
  std::function<void()> body_;
  std::string implementation_;
};

// Copies a residual that lies elsewhere to where the convolution adds to it.
class ResidualFirst final : public Kernel {
 public:
  ResidualFirst(const View& residual, const View& dst, KernelPtr conv)
      : residual_(residual), dst_(dst), walk_(walk_over({residual, dst})), conv_(std::move(conv)) {}
  void run() override {
    copy(walk_, residual_.floats(), dst_.floats());
    conv_->run();
  }
  [[nodiscard]] std::string implementation() const override { return conv_->implementation() + "+copy"; }

 private:
  View residual_;
  View dst_;
  Walk walk_;
  KernelPtr conv_;
};

KernelPtr make(const MakeContext& context) {
  const Op& op = context.op();
  if (as<Conv>(op) != nullptr) return make_conv(context);
  if (as<IntegerConv>(op) != nullptr) return make_integer_conv(context);
  if (as<Pool>(op) != nullptr) return make_pool(context);
  if (is_cell_arithmetic(op) || as<NormalizePicture>(op) != nullptr) return make_elementwise(context);
  if (as<ReduceRows>(op) != nullptr || as<ReduceParts>(op) != nullptr || as<Reduce>(op) != nullptr ||
      as<ArgReduce>(op) != nullptr || as<CumSum>(op) != nullptr || as<Softmax>(op) != nullptr || as<Lrn>(op) != nullptr)
    return make_reduction(context);
  if (as<Pointwise>(op) != nullptr) return make_pointwise(context);
  if (as<Expand>(op) != nullptr || as<Tile>(op) != nullptr || as<Trilu>(op) != nullptr) return make_repeat(context);
  if (as<Reshape>(op) != nullptr) return make_reshape(context);
  if (as<DepthToSpace>(op) != nullptr || as<SpaceToDepth>(op) != nullptr || as<BorderPad>(op) != nullptr)
    return make_blocks(context);
  if (as<Resize>(op) != nullptr) return make_resize(context);
  if (as<PoolIndices>(op) != nullptr || as<MaxUnpool>(op) != nullptr) return make_pool_indices(context);
  if (as<PoolNd>(op) != nullptr || as<ConvNd>(op) != nullptr) return make_windows_nd(context);
  if (as<GridSample>(op) != nullptr || as<RoiAlign>(op) != nullptr) return make_samples(context);
  if (as<Normalize>(op) != nullptr) return make_normalize(context);
  if (as<MatMul>(op) != nullptr) return make_matmul(context);
  ensure(as<Input>(op) == nullptr && as<Constant>(op) == nullptr, "inputs and constants are not computed");
  return make_shape_op(context);
}

}  // namespace

KernelPtr make_own(std::function<void()> body, std::string implementation) {
  return std::make_unique<FunctionKernel>(std::move(body), std::move(implementation));
}

std::string_view family_name(Family family) {
  switch (family) {
    case Family::direct:
      return "direct";
    case Family::winograd2:
      return "winograd2";
    case Family::winograd4:
      return "winograd4";
    case Family::conv1x1:
      return "conv1x1";
    case Family::depthwise:
      return "depthwise";
  }
  throw Bug("internal error: a family has a name");
}

std::unique_ptr<Kernel> prepare(const Request& request, WeightStore& weights, Workspace& workspace) {
  KernelPtr kernel = make({request, weights, workspace});
  const int residual = residual_input(request.graph.op(request.op));
  if (residual < 0) return kernel;
  const View& view = request.src[static_cast<std::size_t>(residual)];
  if (view.data == request.dst.data && view.strides == request.dst.strides) return kernel;
  return std::make_unique<ResidualFirst>(view, request.dst, std::move(kernel));
}

}  // namespace strake::kernels
