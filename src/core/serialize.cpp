// SPDX-License-Identifier: Apache-2.0
#include "core/serialize.hpp"

#include <cstring>
#include <type_traits>

#include "core/shape_inference.hpp"

namespace strake {

namespace {

// ---- the members of every type, named once for both directions ----------------------------------------------------

template <class T, class Visit>
void visit_members(T& self, Visit&& visit) {
  using Type = std::remove_const_t<T>;
  if constexpr (std::is_same_v<Type, Interval>) {
    visit(self.begin, self.end);
  } else if constexpr (std::is_same_v<Type, Box>) {
    visit(self.axes);
  } else if constexpr (std::is_same_v<Type, WindowAxis>) {
    visit(self.kernel, self.stride, self.dilation, self.pad_begin, self.pad_end);
  } else if constexpr (std::is_same_v<Type, Window2d>) {
    visit(self.h, self.w);
  } else if constexpr (std::is_same_v<Type, Op>) {
    visit(self.name, self.inputs, self.shape, self.type, self.attributes);
  } else if constexpr (std::is_same_v<Type, Weight>) {
    visit(self.name, self.shape, self.type);
  } else if constexpr (std::is_same_v<Type, Port>) {
    visit(self.op, self.name, self.type);
  } else if constexpr (std::is_same_v<Type, Graph>) {
    visit(self.name, self.weights, self.ops, self.inputs, self.outputs);
  } else if constexpr (std::is_same_v<Type, Plan>) {
    visit(self.model, self.strategy, self.n_ranks, self.epoch, self.axis, self.frames, self.transfer_type,
          self.produces, self.overlap, self.predicted_us, self.notes);
  } else if constexpr (std::is_same_v<Type, OpCost>) {
    visit(self.extents, self.microseconds);
  } else if constexpr (std::is_same_v<Type, RankProfile>) {
    visit(self.host, self.threads, self.ops, self.channels, self.whole_us, self.jitter_us, self.copy_us_per_byte,
          self.encode_us_per_byte, self.decode_us_per_byte, self.baseline_bytes);
  } else {
    Type::fields(self, visit);
  }
}

// The last value of each enumeration: what is beyond it did not come from us.
constexpr ElementType last_of(ElementType) { return ElementType::boolean; }
constexpr ActivationKind last_of(ActivationKind) { return ActivationKind::atanh; }
constexpr PoolKind last_of(PoolKind) { return PoolKind::sum; }
constexpr AverageOver last_of(AverageOver) { return AverageOver::padded_cells; }
constexpr ReduceKind last_of(ReduceKind) { return ReduceKind::max; }
constexpr BinaryKind last_of(BinaryKind) { return BinaryKind::pow; }
constexpr GenericReduceKind last_of(GenericReduceKind) { return GenericReduceKind::mean_square; }
constexpr ArgKind last_of(ArgKind) { return ArgKind::min; }
constexpr ArgTie last_of(ArgTie) { return ArgTie::last; }
constexpr SoftmaxKind last_of(SoftmaxKind) { return SoftmaxKind::hardmax; }
constexpr SumPlace last_of(SumPlace) { return SumPlace::exclusive; }
constexpr SumDirection last_of(SumDirection) { return SumDirection::backward; }
constexpr PointwiseKind last_of(PointwiseKind) { return PointwiseKind::dequantize; }
constexpr Triangle last_of(Triangle) { return Triangle::upper; }
constexpr BorderKind last_of(BorderKind) { return BorderKind::wrap; }
constexpr PoolNdKind last_of(PoolNdKind) { return PoolNdKind::sum; }
constexpr StorageOrder last_of(StorageOrder) { return StorageOrder::columns_first; }
constexpr UnpoolReach last_of(UnpoolReach) { return UnpoolReach::anywhere; }
constexpr SampleKind last_of(SampleKind) { return SampleKind::cubic; }
constexpr SampleBorder last_of(SampleBorder) { return SampleBorder::reflect; }
constexpr Corners last_of(Corners) { return Corners::edges; }
constexpr RoiKind last_of(RoiKind) { return RoiKind::max; }
constexpr ResizeKind last_of(ResizeKind) { return ResizeKind::cubic; }
constexpr ResizePlace last_of(ResizePlace) { return ResizePlace::tf_crop_and_resize; }
constexpr NearestKind last_of(NearestKind) { return NearestKind::simple; }
constexpr ResizeBorder last_of(ResizeBorder) { return ResizeBorder::exclude; }
constexpr Antialias last_of(Antialias) { return Antialias::on; }
constexpr Overlap last_of(Overlap) { return Overlap::interior_first; }
constexpr SplitAxis last_of(SplitAxis) { return SplitAxis::columns; }
constexpr TransferType last_of(TransferType) { return TransferType::int8; }

template <class T>
constexpr bool is_plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

// ---- writing ------------------------------------------------------------------------------------------------------

class Writer {
 public:
  template <class T>
  void write(const T& value) {
    if constexpr (is_plain<T>) {
      append(&value, sizeof value);
    } else {
      visit_members(value, [this](const auto&... members) { (this->write(members), ...); });
    }
  }
  void write(const std::string& text) {
    write(std::uint64_t{text.size()});
    append(text.data(), text.size());
  }
  template <class T>
  void write(const std::vector<T>& list) {
    write(std::uint64_t{list.size()});
    for (const T& element : list) write(element);
  }
  template <class... T>
  void write(const std::variant<T...>& choice) {
    write(static_cast<std::uint8_t>(choice.index()));
    std::visit([this](const auto& value) { this->write(value); }, choice);
  }

  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  void append(const void* data, std::size_t n_bytes) {
    const auto* begin = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), begin, begin + n_bytes);
  }

  std::vector<std::byte> bytes_;
};

// ---- reading ------------------------------------------------------------------------------------------------------

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::string_view what) : rest_(bytes), what_(what), n_bytes_(bytes.size()) {}

  template <class T>
  void read(T& value) {
    if constexpr (is_plain<T>) {
      take(&value, sizeof value);
      if constexpr (std::is_enum_v<T>)
        require(value <= last_of(value), "unknown value " + std::to_string(static_cast<int>(value)));
    } else {
      visit_members(value, [this](auto&... members) { (this->read(members), ...); });
    }
  }
  void read(std::string& text) {
    text.resize(read_count());
    take(text.data(), text.size());
  }
  template <class T>
  void read(std::vector<T>& list) {
    // Grows as elements arrive: a wrong count ends at the last byte, not with all memory taken.
    for (std::size_t count = read_count(); count > 0; --count) read(list.emplace_back());
  }
  template <class... T>
  void read(std::variant<T...>& choice) {
    std::uint8_t index = 0;
    read(index);
    require(index < sizeof...(T), "unknown alternative " + std::to_string(index));
    choose<0>(choice, index);
    std::visit([this](auto& value) { this->read(value); }, choice);
  }

  void expect_end() const { require(rest_.empty(), std::to_string(rest_.size()) + " bytes too many"); }

  void require(bool holds, const std::string& problem) const {
    if (holds) return;
    throw InvalidInput("received " + std::string(what_) + ", byte " + std::to_string(n_bytes_ - rest_.size()) + " of " +
                       std::to_string(n_bytes_) + ": " + problem);
  }

 private:
  template <std::size_t I, class Variant>
  static void choose(Variant& choice, std::size_t index) {
    if (index == I) {
      choice.template emplace<I>();
    } else if constexpr (I + 1 < std::variant_size_v<Variant>) {
      choose<I + 1>(choice, index);
    }
  }

  // Every element takes a byte at least.
  std::size_t read_count() {
    std::uint64_t count = 0;
    read(count);
    require(count <= rest_.size(), "expected " + std::to_string(count) + " elements, but the bytes end");
    return static_cast<std::size_t>(count);
  }

  void take(void* data, std::size_t n_bytes) {
    require(n_bytes <= rest_.size(), "expected " + std::to_string(n_bytes) + " bytes more");
    if (n_bytes > 0) std::memcpy(data, rest_.data(), n_bytes);
    rest_ = rest_.subspan(n_bytes);
  }

  std::span<const std::byte> rest_;
  std::string_view what_;
  std::size_t n_bytes_;
};

// The first word tells what follows, so that one thing is never read as another.
enum class Kind : std::uint32_t { graph = 0x47525453, plan = 0x504C5453, rank_profile = 0x52505453 };

template <class T>
std::vector<std::byte> to_bytes_of(Kind kind, const T& value) {
  Writer writer;
  writer.write(static_cast<std::uint32_t>(kind));
  writer.write(value);
  return writer.take();
}

template <class T>
T from_bytes(Kind kind, std::span<const std::byte> bytes, std::string_view what) {
  Reader reader(bytes, what);
  std::uint32_t found = 0;
  reader.read(found);
  reader.require(found == static_cast<std::uint32_t>(kind), "these bytes are something else");
  T value;
  reader.read(value);
  reader.expect_end();
  return value;
}

// ---- what a graph promises beyond its types -----------------------------------------------------------------------

void check_ports(const Graph& graph, const std::vector<Port>& ports, bool must_be_inputs) {
  for (const Port& port : ports) {
    const bool known = port.op >= 0 && port.op < graph.size();
    if (!known || (must_be_inputs && as<Input>(graph.op(port.op)) == nullptr))
      throw InvalidInput("received graph: port '" + port.name + "' names operator " + std::to_string(port.op) +
                         ", expected " + (must_be_inputs ? "an input" : "one of " + std::to_string(graph.size())));
  }
}

// Adds the operators one after the other, so that each is checked against those before it.
Graph checked(Graph graph) {
  std::vector<Op> ops = std::move(graph.ops);
  graph.ops.clear();
  for (Op& op : ops) {
    const Shape inferred = infer_shape(graph, op);
    if (op.shape != inferred || op.type != infer_type(graph, op))
      throw InvalidInput("received graph: operator '" + op.name + "' has shape " + to_string(op.shape) + " of " +
                         std::string(to_string(op.type)) + ", expected " + to_string(inferred) + " of " +
                         std::string(to_string(infer_type(graph, op))));
    graph.ops.push_back(std::move(op));
  }
  check_ports(graph, graph.inputs, true);
  check_ports(graph, graph.outputs, false);
  return graph;
}

}  // namespace

std::vector<std::byte> to_bytes(const Graph& graph) { return to_bytes_of(Kind::graph, graph); }
std::vector<std::byte> to_bytes(const Plan& plan) { return to_bytes_of(Kind::plan, plan); }
std::vector<std::byte> to_bytes(const RankProfile& profile) { return to_bytes_of(Kind::rank_profile, profile); }

Graph graph_from_bytes(std::span<const std::byte> bytes) {
  return checked(from_bytes<Graph>(Kind::graph, bytes, "graph"));
}

Plan plan_from_bytes(std::span<const std::byte> bytes) { return from_bytes<Plan>(Kind::plan, bytes, "plan"); }

RankProfile rank_profile_from_bytes(std::span<const std::byte> bytes) {
  auto profile = from_bytes<RankProfile>(Kind::rank_profile, bytes, "profile");
  for (const std::vector<OpCost>* costs : {&profile.ops, &profile.channels})
    for (const OpCost& cost : *costs)
      if (cost.extents.size() != cost.microseconds.size())
        throw InvalidInput("received profile: expected one time per extent, got " +
                           std::to_string(cost.extents.size()) + " extents and " +
                           std::to_string(cost.microseconds.size()) + " times");
  return profile;
}

}  // namespace strake
