// SPDX-License-Identifier: Apache-2.0
// Reductions over any axes, of elements of any type.

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/errors.hpp"
#include "kernels/along.hpp"
#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

/// What one walk along the axes does; a kind of reduction is one of these, or two, and a last touch.
enum class Fold : unsigned char { sum, magnitudes, squares, exps, max, min, prod };

// Floats add up in double, integers modulo 2^64.
template <class T>
using Sum = std::conditional_t<std::is_floating_point_v<T>, double,
                               std::conditional_t<std::is_same_v<T, std::uint64_t>, std::uint64_t, std::int64_t>>;

// Integers are added and multiplied without a sign, where nothing overflows.
template <class S>
using Unsigned = std::conditional_t<std::is_floating_point_v<S>, S, std::uint64_t>;

template <class S>
inline __attribute__((always_inline)) S sum_of(S a, S b) {
  return static_cast<S>(static_cast<Unsigned<S>>(a) + static_cast<Unsigned<S>>(b));
}

template <class S>
inline __attribute__((always_inline)) S product_of(S a, S b) {
  return static_cast<S>(static_cast<Unsigned<S>>(a) * static_cast<Unsigned<S>>(b));
}

template <class S>
inline __attribute__((always_inline)) S magnitude_of(S x) {
  return x < S{0} ? static_cast<S>(Unsigned<S>{0} - static_cast<Unsigned<S>>(x)) : x;
}

template <Fold fold, class S>
inline __attribute__((always_inline)) S folded(S all, S x) {
  switch (fold) {
    case Fold::sum:
      return sum_of(all, x);
    case Fold::magnitudes:
      return sum_of(all, magnitude_of(x));
    case Fold::squares:
      return sum_of(all, product_of(x, x));
    case Fold::exps:
      return static_cast<S>(static_cast<double>(all) + std::exp(static_cast<double>(x)));
    case Fold::max:
      return x > all ? x : all;
    case Fold::min:
      return x < all ? x : all;
    case Fold::prod:
      return product_of(all, x);
  }
  return all;
}

// all[c] takes in `count` rows of n cells, `step` elements apart, in order.
template <Fold fold, class T>
inline __attribute__((always_inline)) void fold_rows(const T* in, Index count, Index step, const T* centre, Sum<T>* all,
                                                     Index n) {
  for (Index i = 0; i < count; ++i)
    for (Index c = 0; c < n; ++c)
      all[c] = folded<fold>(all[c], static_cast<Sum<T>>(in[i * step + c]) - static_cast<Sum<T>>(centre[c]));
}

template <class T>
using FoldRows = void (*)(const T*, Index, Index, const T*, Sum<T>*, Index);

#define STRAKE_FOLD(name, fold)                                                                                        \
  STRAKE_MULTIVERSION void name(const float* in, Index count, Index step, const float* centre, double* all, Index n) { \
    fold_rows<fold, float>(in, count, step, centre, all, n);                                                           \
  }

STRAKE_FOLD(fold_sum, Fold::sum)
STRAKE_FOLD(fold_magnitudes, Fold::magnitudes)
STRAKE_FOLD(fold_squares, Fold::squares)
STRAKE_FOLD(fold_max, Fold::max)
STRAKE_FOLD(fold_min, Fold::min)
STRAKE_FOLD(fold_prod, Fold::prod)

#undef STRAKE_FOLD

template <class T>
FoldRows<T> rows_of(Fold fold) {
  constexpr bool fast = std::is_same_v<T, float>;
  switch (fold) {
    case Fold::sum:
      if constexpr (fast) return fold_sum;
      return fold_rows<Fold::sum, T>;
    case Fold::magnitudes:
      if constexpr (fast) return fold_magnitudes;
      return fold_rows<Fold::magnitudes, T>;
    case Fold::squares:
      if constexpr (fast) return fold_squares;
      return fold_rows<Fold::squares, T>;
    case Fold::exps:
      return fold_rows<Fold::exps, T>;
    case Fold::max:
      if constexpr (fast) return fold_max;
      return fold_rows<Fold::max, T>;
    case Fold::min:
      if constexpr (fast) return fold_min;
      return fold_rows<Fold::min, T>;
    case Fold::prod:
      if constexpr (fast) return fold_prod;
      return fold_rows<Fold::prod, T>;
  }
  throw Bug("internal error: a reduction has a kind");
}

template <class S>
S neutral(Fold fold) {
  switch (fold) {
    case Fold::max:
      return std::numeric_limits<S>::has_infinity ? -std::numeric_limits<S>::infinity()
                                                  : std::numeric_limits<S>::lowest();
    case Fold::min:
      return std::numeric_limits<S>::has_infinity ? std::numeric_limits<S>::infinity() : std::numeric_limits<S>::max();
    case Fold::prod:
      return S{1};
    default:
      return S{0};
  }
}

Fold fold_of(GenericReduceKind kind) {
  switch (kind) {
    case GenericReduceKind::sum:
    case GenericReduceKind::mean:
    case GenericReduceKind::log_sum:
      return Fold::sum;
    case GenericReduceKind::max:
      return Fold::max;
    case GenericReduceKind::min:
      return Fold::min;
    case GenericReduceKind::prod:
      return Fold::prod;
    case GenericReduceKind::l1:
      return Fold::magnitudes;
    case GenericReduceKind::l2:
    case GenericReduceKind::sum_square:
    case GenericReduceKind::mean_square:
      return Fold::squares;
    case GenericReduceKind::log_sum_exp:
      return Fold::exps;
  }
  throw Bug("internal error: a reduction has a kind");
}

template <class T>
T finished(GenericReduceKind kind, Sum<T> all, Index count, T largest) {
  switch (kind) {
    case GenericReduceKind::mean:
    case GenericReduceKind::mean_square:
      return static_cast<T>(all / static_cast<Sum<T>>(count));
    case GenericReduceKind::l2:
      return static_cast<T>(std::sqrt(static_cast<double>(all)));
    case GenericReduceKind::log_sum:
      return static_cast<T>(std::log(static_cast<double>(all)));
    case GenericReduceKind::log_sum_exp:
      return static_cast<T>(std::log(static_cast<double>(all)) + static_cast<double>(largest));
    default:
      return static_cast<T>(all);
  }
}

template <class T>
class Reduction {
 public:
  Reduction(const Reduce& op, const View& src, const View& dst, const View* centre)
      : kind_(op.kind), src_(src), dst_(dst), centre_(centre == nullptr ? nullptr : as_elements(*centre)) {
    std::vector<View> views = {src, dst};
    if (centre != nullptr) views.push_back(*centre);
    along_ = walk_along(views, op.axes);
    count_ = src.box.volume() / dst.box.volume();
  }

  void operator()() const {
    for_each_tile(along_, src_.box.volume(), [&](Index place, Index first, Index n) { reduce_tile(place, first, n); });
  }

 private:
  using Cells = std::array<T, tile_size>;
  using Sums = std::array<Sum<T>, tile_size>;

  static T* as_elements(const View& view) { return reinterpret_cast<T*>(view.data); }

  void reduce_tile(Index place, Index first, Index n) const {
    const T* in = as_elements(src_) + along_.place(place, 0) + first;
    Cells centre{};
    if (centre_ != nullptr) {
      const T* from = centre_ + along_.place(place, 2);
      const Index step = along_.across ? along_.inner[2] : 0;
      for (Index c = 0; c < tile_size; ++c)
        centre[static_cast<std::size_t>(c)] = from[(first + std::min(c, n - 1)) * step];
    }
    if (kind_ == GenericReduceKind::log_sum_exp) {
      // Relative to the largest, so that no exponential overflows; where that is infinite, so is the sum.
      Sums largest;
      fold_tile(Fold::max, in, n, centre, largest);
      for (std::size_t c = 0; c < tile_size; ++c)
        centre[c] = std::isfinite(static_cast<double>(largest[along_.across ? c : 0]))
                        ? static_cast<T>(largest[along_.across ? c : 0])
                        : T{0};
    }
    Sums all;
    fold_tile(fold_of(kind_), in, n, centre, all);
    T* out = as_elements(dst_) + along_.place(place, 1) + first * along_.inner[1];
    for (Index c = 0; c < n; ++c) {
      const auto at = static_cast<std::size_t>(c);
      out[c * along_.inner[1]] = finished<T>(kind_, all[at], count_, centre[at]);
    }
  }

  // all[c] for c < n is the fold along the axes.
  void fold_tile(Fold fold, const T* in, Index n, const Cells& centre, Sums& all) const {
    all.fill(neutral<Sum<T>>(fold));
    const FoldRows<T> rows = rows_of<T>(fold);
    const Walk& lane = along_.lane;
    for (Index run = 0; run < lane.n_runs; ++run) {
      const T* from = in + lane.offset(run, 0);
      if (along_.across) {
        rows(from, lane.length, lane.inner[0], centre.data(), all.data(), n);
        continue;
      }
      const Index full = along_.width / n_lanes;
      for (Index i = 0; i < lane.length; ++i, from += lane.inner[0]) {
        rows(from, full, n_lanes, centre.data(), all.data(), n_lanes);
        rows(from + full * n_lanes, 1, n_lanes, centre.data(), all.data(), along_.width % n_lanes);
      }
    }
    if (along_.across) return;
    // Partial results join as sums of what they are, not of what their cells were.
    const bool ordered = fold == Fold::max || fold == Fold::min || fold == Fold::prod;
    for (std::size_t i = 1; i < static_cast<std::size_t>(n_lanes); ++i)
      all[0] = join(ordered ? fold : Fold::sum, all[0], all[i]);
  }

  static Sum<T> join(Fold fold, Sum<T> a, Sum<T> b) {
    if (fold == Fold::max) return folded<Fold::max>(a, b);
    if (fold == Fold::min) return folded<Fold::min>(a, b);
    return fold == Fold::prod ? product_of(a, b) : sum_of(a, b);
  }

  GenericReduceKind kind_;
  View src_;
  View dst_;
  const T* centre_;
  Along along_;
  Index count_ = 1;
};

}  // namespace

KernelPtr make_reduce_axes(const MakeContext& context) {
  const auto& op = *as<Reduce>(context.op());
  const std::vector<View>& src = context.request.src;
  return with_type(context.op().type, [&]<class T>(std::type_identity<T>) -> KernelPtr {
    if constexpr (std::is_same_v<T, bool>)
      throw Bug("internal error: booleans are not reduced");
    else
      return make_own(Reduction<T>(op, src.front(), context.request.dst, src.size() > 1 ? &src[1] : nullptr));
  });
}

}  // namespace strake::kernels
