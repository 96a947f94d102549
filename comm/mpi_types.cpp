// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi_types.hpp"

namespace strake::comm {

namespace {

// `count` copies of `inner`, `stride` bytes apart.
OwnedType repeated(const OwnedType& inner, Index count, Index stride) {
  OwnedType outer;
  check(MPI_Type_create_hvector(static_cast<int>(count), 1, static_cast<MPI_Aint>(stride), inner.get(), outer.out()),
        "MPI_Type_create_hvector");
  return outer;
}

OwnedType contiguous(const OwnedType& inner, Index count) {
  OwnedType outer;
  check(MPI_Type_contiguous(static_cast<int>(count), inner.get(), outer.out()), "MPI_Type_contiguous");
  return outer;
}

OwnedType element_type(ElementType type) {
  OwnedType element;
  check(MPI_Type_dup(size_of(type) == 4   ? MPI_FLOAT
                     : size_of(type) == 8 ? MPI_DOUBLE
                                          : MPI_BYTE,
                     element.out()),
        "MPI_Type_dup");
  return size_of(type) == 2 ? contiguous(element, 2) : std::move(element);
}

// Channels [begin, end) of one pixel in a blocked layout: part of a block, whole blocks, part of a block.
OwnedType blocked_channels(const View& view, const OwnedType& element) {
  const Index block = view.channel_block;
  const auto bytes = static_cast<Index>(size_of(view.type));
  const Index n = view.box[1].size();
  const Index full = n / block;
  std::vector<int> lengths;
  std::vector<MPI_Aint> offsets;
  for (Index i = 0; i < full; ++i) {
    lengths.push_back(static_cast<int>(block));
    offsets.push_back(static_cast<MPI_Aint>(i * view.strides[1] * bytes));
  }
  if (n % block != 0) {
    lengths.push_back(static_cast<int>(n % block));
    offsets.push_back(static_cast<MPI_Aint>(full * view.strides[1] * bytes));
  }
  OwnedType channels;
  check(MPI_Type_create_hindexed(static_cast<int>(lengths.size()), lengths.data(), offsets.data(), element.get(),
                                 channels.out()),
        "MPI_Type_create_hindexed");
  return channels;
}

}  // namespace

OwnedType type_of(const View& view) {
  const auto bytes = static_cast<Index>(size_of(view.type));
  OwnedType type = element_type(view.type);
  std::vector<std::size_t> order = canonical_order(view.box.rank());
  Index run = 1;  // elements that `type` spans without a gap; 0 once there is a gap
  if (view.channel_block > 1) {
    ensure(view.box.rank() == 4, "only feature maps have channel blocks");
    type = blocked_channels(view, type);
    order.pop_back();  // channels are the innermost
    run = view.box[1].size() == view.channel_block ? view.channel_block : 0;
  }
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    const Index count = view.box[*axis].size();
    if (count == 1) continue;
    if (run > 0 && view.strides[*axis] == run) {
      type = contiguous(type, count);
      run *= count;
    } else {
      type = repeated(type, count, view.strides[*axis] * bytes);
      run = 0;
    }
  }
  MPI_Datatype handle = type.get();
  check(MPI_Type_commit(&handle), "MPI_Type_commit");
  return type;
}

}  // namespace strake::comm
