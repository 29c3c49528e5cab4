// SPDX-License-Identifier: MIT
//
// Symbols that would otherwise come from the compiler and its start files. In the shared library only.

extern "C" {
// The only symbol of the start files that libhotlane.so needs. libc's pthread_atfork() and atexit() use it to tell whose
// handlers they are given. A program has its own.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
[[gnu::visibility("hidden")]] extern void* const __dso_handle;
void* const __dso_handle = const_cast<void**>(&__dso_handle);
}

// The compiler refers to the function that unwinds C++ frames through this word, and would place it among the variables,
// where the dynamic linker would touch a page for it at every start. This file is linked before the one that needs the
// word, so this is the definition that the linker keeps.
asm(".section .data.rel.ro.personality,\"awG\",@progbits,DW.ref.__gxx_personality_v0,comdat\n"
    ".weak __gxx_personality_v0\n"
    ".hidden DW.ref.__gxx_personality_v0\n"
    ".weak DW.ref.__gxx_personality_v0\n"
    ".balign 8\n"
    ".type DW.ref.__gxx_personality_v0, @object\n"
    ".size DW.ref.__gxx_personality_v0, 8\n"
    "DW.ref.__gxx_personality_v0:\n"
    ".dc.a __gxx_personality_v0\n"
    ".previous\n");
