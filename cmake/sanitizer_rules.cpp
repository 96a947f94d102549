// SPDX-License-Identifier: Apache-2.0
// Linked into every program of an address sanitizer build, so that it finds our leaks only, however it is started.

// Open MPI unloads its plug-ins before leaks are looked for; what they had kept could then not be told from ours.
extern "C" int dlclose(void* /*library*/) { return 0; }

extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }
// Under strake serve and strake node another library comes first (cluster/preload).
extern "C" const char* __asan_default_options() { return "verify_asan_link_order=0"; }
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }

// Memory that libraries keep until the process ends. Nothing of ours belongs here.
extern "C" const char* __lsan_default_suppressions() {
  return  // Open MPI and what it is made of
      "leak:libmpi.so\n"
      "leak:libopen-rte.so\n"
      "leak:libopen-pal.so\n"
      "leak:libpmix.so\n"
      "leak:mca_\n"
      "leak:libhwloc.so\n"
      "leak:libevent\n"
      // asprintf, which Open MPI calls and we do not: stacks end at the C library, which has no frame pointers
      "leak:vasprintf\n"
      // GNU OpenMP keeps its threads
      "leak:libgomp.so\n";
}
