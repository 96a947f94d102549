// SPDX-License-Identifier: Apache-2.0
#include "fuzz/seeds.hpp"

#include <onnx/defs/parser.h>

#include <stdexcept>

#include "onnx/zoo_networks.hpp"

namespace strake::fuzz {

namespace {

// A model in ONNX's text form: graph inputs, outputs, nodes. A whole kernel of ones is a ConstantOfShape.
struct Text {
  const char* name;
  int opset;
  const char* graph;
};

constexpr Text texts[] = {
    {"conv", 13, R"((float[1,3,9,8] x) => (float[1,4,5,4] y) {
       s = Constant<value = int64[4] {4,3,3,3}>() w = ConstantOfShape<value = float[1] {0.1}>(s)
       b = Constant<value = float[4] {1,2,3,4}>()
       y = Conv<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], dilations=[1,1], group=1>(x, w, b) })"},
    {"conv1d", 11, R"((float[1,4,9] x) => (float[1,4,9] y) {
       s = Constant<value = int64[3] {4,1,3}>() w = ConstantOfShape(s)
       y = Conv<auto_pad="SAME_UPPER", group=4>(x, w) })"},
    {"conv_transpose", 11, R"((float[1,3,5,5] x) => (float[1,2,11,11] y) {
       s = Constant<value = int64[4] {3,2,3,3}>() w = ConstantOfShape<value = float[1] {1}>(s)
       y = ConvTranspose<strides=[2,2], output_padding=[1,1], pads=[1,0,0,1]>(x, w) })"},
    {"pools", 12, R"((float[1,2,9,9] x) => (float[1,2,5,5] y, float[1,2,1,1] z, float[1,2,4,4] v) {
       y = MaxPool<kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1], ceil_mode=1>(x)
       z = GlobalAveragePool(x)
       v = AveragePool<kernel_shape=[2,3], strides=[2,2], count_include_pad=1, auto_pad="VALID">(x) })"},
    {"norm", 9, R"((float[1,2,4,4] x) => (float[1,2,4,4] y, float[1,2,4,4] z) {
       a = Constant<value = float[2] {1,2}>() b = Constant<value = float[2] {0,1}>()
       n = BatchNormalization<epsilon=0.001>(x, a, b, b, a) y = LRN<size=3>(n)
       z = InstanceNormalization(x, a, b) })"},
    {"gemm", 13, R"((float[1,6] x) => (float[1,3] y, float[1,3] z) {
       s = Constant<value = int64[2] {3,6}>() w = ConstantOfShape<value = float[1] {1}>(s)
       c = Constant<value = float[3] {1,2,3}>()
       y = Gemm<transB=1, alpha=0.5, beta=2.0>(x, w, c) t = Transpose<perm=[1,0]>(w) z = MatMul(x, t) })"},
    {"elementwise", 13, R"((float[1,2,4,4] x, float[1,2,4,4] u) => (float[1,2,4,4] y) {
       a = Relu(x) b = Sigmoid(a) c = Mul(a, b) d = LeakyRelu<alpha=0.2>(c) e = HardSigmoid(d) f = Elu(e) g = Tanh(f)
       h = Add(g, u) i = Exp(h) j = Abs(i) k = Sqrt(j) l = Neg(k) m = Pow(l, u) n = Min(m, x) o = Max(n, u, x)
       lo = Constant<value_float=0.0>() hi = Constant<value_float=6.0>() p = Clip(o, lo, hi) q = Div(p, u)
       r = PRelu(q, hi) s = Sub(r, hi) t = Erf(s) v = Floor(t) w = Softplus(v) z = Sum(w, x, u) y = Mean(z, x) })"},
    {"logic", 16, R"((float[2,3] x, float[3] u) => (float[2,3] y, bool[2,3] z) {
       a = Greater(x, u) b = LessOrEqual(x, u) c = And(a, b) d = Or(a, b) e = Not(c) z = Xor(d, e)
       y = Where(z, x, u) f = IsNaN(y) g = Cast<to=1>(f) })"},
    {"shape_arithmetic", 13, R"((float[1,4,6,5] x) => (float[1,2,60] y, float[1,4,30] z) {
       s = Shape(x) i = Constant<value = int64[1] {1}>() g = Gather<axis=0>(s, i) two = Constant<value = int64[1] {2}>()
       h = Div(g, two) m = Constant<value = int64[1] {-1}>() one = Constant<value = int64[1] {1}>()
       t = Concat<axis=0>(one, h, m) y = Reshape(x, t) k = Slice(s, i, two) l = Concat<axis=0>(one, k, m)
       f = Cast<to=1>(l) p = Ceil(f) q = Cast<to=7>(p) z = Reshape(x, q) })"},
    {"moves", 13, R"((float[1,4,6,5] x) => (float[1,4,6,5] y, float[4,6,5] z, float[1,4,3,2] v) {
       a, b = Split<axis=1>(x) c = Concat<axis=1>(b, a) y = Transpose<perm=[0,1,2,3]>(c)
       n = Constant<value = int64[1] {0}>() d = Unsqueeze(c, n) e = Squeeze(d, n) z = Squeeze(e, n)
       st = Constant<value = int64[2] {0,4}>() en = Constant<value = int64[2] {6,-9}>()
       ax = Constant<value = int64[2] {2,-1}>() sp = Constant<value = int64[2] {2,-2}>()
       w = Slice(x, st, en, ax, sp) v = Identity(w) })"},
    {"pad", 13, R"((float[1,2,4,4] x) => (float[1,2,6,7] y, float[1,2,6,6] z) {
       p = Constant<value = int64[8] {0,0,1,1,0,0,1,2}>() v = Constant<value_float=0.5>() y = Pad<mode="constant">(x, p, v)
       q = Constant<value = int64[8] {0,0,1,1,0,0,1,1}>() z = Pad<mode="reflect">(x, q) })"},
    {"resize", 13, R"((float[1,2,4,4] x) => (float[1,2,8,8] y, float[1,2,7,5] z) {
       s = Constant<value = float[4] {1,1,2,2}>() r = Constant<value = int64[4] {1,2,7,5}>()
       y = Resize<mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor">(x, , s)
       z = Resize<mode="cubic", coordinate_transformation_mode="align_corners">(x, , , r) })"},
    {"reduce", 13, R"((float[1,2,4,4] x) => (float[1,2,1,1] y, float[1,4,4] z, float[1,2,4,4] v) {
       y = ReduceMean<axes=[2,3], keepdims=1>(x) z = ReduceMax<axes=[1], keepdims=0>(x)
       a = ReduceSum(x) v = Softmax<axis=1>(x) })"},
    {"gather", 13, R"((float[2,3,4] x) => (float[2,2,4] y, float[2,3,4] z) {
       i = Constant<value = int64[2] {2,-3}>() y = Gather<axis=1>(x, i)
       d = Constant<value = int64[3] {2,3,4}>() e = ConstantOfShape<value = int64[1] {1}>(d)
       z = GatherElements<axis=1>(x, e) })"},
    {"blocks", 13, R"((float[1,8,4,4] x) => (float[1,2,8,8] y, float[1,32,2,2] z, float[2,8,8,4] v) {
       y = DepthToSpace<blocksize=2, mode="CRD">(x) z = SpaceToDepth<blocksize=2>(x)
       t = Constant<value = int64[4] {2,1,2,1}>() v = Tile(x, t) })"},
    {"constants", 13, R"((float[2,3] x) => (float[2,3] y) {
       a = Constant<value_int=0>() b = Constant<value_int=6>() c = Constant<value_int=1>() r = Range(a, b, c)
       s = Constant<value = int64[2] {2,3}>() t = Reshape(r, s) f = Cast<to=1>(t) e = Expand(a, s) g = Cast<to=1>(e)
       h = CumSum(f, c) n = NonZero(t) m = Mod(t, b) k = Cast<to=1>(m) z = Add(h, g) w = Add(z, k) y = Mul(x, w) })"},
    {"quantized", 13, R"((float[1,2,4,4] x) => (float[1,2,4,4] y) {
       s = Constant<value_float=0.1>() z = Constant<value = uint8 {128}>()
       q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) })"},
    {"detection", 13, R"((float[1,10,4] b, float[1,2,10] s) => (int64[3,3] y) {
       n = Constant<value = int64[1] {3}>() t = Constant<value = float[1] {0.5}>()
       y = NonMaxSuppression(b, s, n, t, t) })"},
    {"top", 13, R"((float[3,10] x) => (float[3,4] y, int64[3,4] z) {
       k = Constant<value = int64[1] {4}>() y, z = TopK<axis=1>(x, k) })"},
};

Seed parsed(const Text& text) {
  const std::string whole = "<ir_version: 7, opset_import: [\"\" : " + std::to_string(text.opset) + "]>\n" +
                            std::string(text.name) + " " + text.graph;
  Seed seed{text.name, {}};
  const onnx::Status status = onnx::OnnxParser::Parse(seed.model, whole.c_str());
  if (!status.IsOK()) throw std::runtime_error(std::string(text.name) + ": " + status.ErrorMessage());
  return seed;
}

// Weights of a zoo network are megabytes of noise to a fuzzer; here nodes make them.
onnx::ModelProto without_weights(onnx::ModelProto model) {
  constexpr std::size_t most_bytes = 256;
  onnx::ModelProto slim = model;
  auto& graph = *slim.mutable_graph();
  graph.clear_initializer();
  graph.clear_node();
  for (const auto& tensor : model.graph().initializer()) {
    if (tensor.raw_data().size() <= most_bytes && !tensor.raw_data().empty()) {
      *graph.add_initializer() = tensor;
      continue;
    }
    auto& shape = *graph.add_initializer();
    shape.set_name(tensor.name() + ".shape");
    shape.set_data_type(onnx::TensorProto::INT64);
    shape.add_dims(tensor.dims_size());
    for (const std::int64_t size : tensor.dims()) shape.add_int64_data(size);
    auto& maker = *graph.add_node();
    maker.set_op_type("ConstantOfShape");
    maker.add_input(shape.name());
    maker.add_output(tensor.name());
  }
  graph.mutable_node()->MergeFrom(model.graph().node());
  return slim;
}

}  // namespace

std::vector<Seed> seeds() {
  std::vector<Seed> all;
  for (const Text& text : texts) all.push_back(parsed(text));
  for (const char* name :
       {"squeezenet1_1", "mobilenet_v3_large", "shufflenet_v2_x1_0", "yolov3_tiny", "yolov8n", "unet", "fast_style"})
    all.push_back({name, without_weights(zoo::model(name, zoo::ZooSize{64, 64}, 1, zoo::Fill::shapes_only))});
  return all;
}

}  // namespace strake::fuzz
