#!/bin/sh
# mpirun.sh RANKS PROGRAM [ARGUMENT...]: ranks of one thread each, more of them than cores if need be.
n=$1
shift
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
exec mpirun --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 --mca btl_vader_single_copy_mechanism none \
  -np "$n" "$@"
