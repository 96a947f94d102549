#!/bin/sh
# Real models under mpirun: against what another engine answered, and byte for byte against one rank, on both axes.
# conformance_real_models_test does the same with all of them on threads.
. "$(dirname "$0")/common.sh" "$1"
if [ ! -d "$data/models" ]; then
  echo "left out: no real models (STRAKE_TEST_DATA)"
  exit 77
fi

# run_model NAME [INPUT=]FILE [TOLERANCE...]: every rank count and axis; outputs against the references.
run_model() {
  model=$1 input=$2
  shift 2
  references=$data/references/$model
  for axis in h w; do
    for n in 1 2 5; do
      [ "$axis" = w ] && [ "$n" = 1 ] && continue
      out=$scratch/$model.$axis.$n
      if ! "$mpirun" "$n" "$strake" run "$data/models/$model.onnx" --exact --strategy equal --axis "$axis" \
        --input "$input" --output "$out" --json "$scratch/run.json" >"$scratch/log" 2>&1; then
        fail "$model on $n ranks, axis $axis"
        tail -5 "$scratch/log"
        continue
      fi
      used=$(sed -n 's/.*"ranks_used": \([0-9]*\).*/\1/p' "$scratch/run.json")
      [ "$used" = "$n" ] || fail "$model used $used of $n ranks, axis $axis"
      for file in "$out"/*.npy; do
        cmp -s "$file" "$scratch/$model.h.1/$(basename "$file")" || fail "$model: bits of $file on $n ranks, axis $axis"
      done
    done
  done
  for reference in "$references"/output.*.npy; do
    name=$(basename "$reference" | sed 's/^output\.//')
    [ $# -gt 0 ] || set -- 1e-3 1e-4
    "$compare" "$scratch/$model.h.1/$name" "$reference" "$@" >"$scratch/log" 2>&1 ||
      fail "$model $name: $(cat "$scratch/log")"
  done
  rm -rf "$scratch/$model".*
}

run_model squeezenet1_0_fp32 "$data/references/squeezenet1_0_fp32/input.data_0.npy"
run_model ultraface_rfb_320 "$data/references/ultraface_rfb_320/input.input.npy"

finish
