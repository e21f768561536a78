/*
 * What host.c calls of Wasmtime's C API, declared by hand for Wasmtime 50 on 64-bit machines, because the shared library
 * in its Python wheel comes without headers. Where Wasmtime's own wasmtime.h is installed, that one is found instead.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WASMTIME_I32, WASMTIME_I64 };

typedef struct wasm_engine wasm_engine_t;
typedef struct wasm_trap wasm_trap_t;
typedef struct wasi_config wasi_config_t;
typedef struct wasmtime_context wasmtime_context_t;
typedef struct wasmtime_error wasmtime_error_t;
typedef struct wasmtime_linker wasmtime_linker_t;
typedef struct wasmtime_module wasmtime_module_t;
typedef struct wasmtime_store wasmtime_store_t;

typedef struct { uint64_t store; size_t index; } wasmtime_instance_t;
typedef struct { uint64_t store; void *pointer; } wasmtime_func_t;
typedef struct { uint64_t store; uint32_t a, b, c; } wasmtime_global_t;
typedef struct { struct { uint64_t store; uint32_t a; } a; uint32_t b; } wasmtime_memory_t;
typedef struct { uint8_t kind; union { wasmtime_func_t func; wasmtime_global_t global; wasmtime_memory_t memory; } of; } wasmtime_extern_t;
typedef struct { uint8_t kind; union { int32_t i32; int64_t i64; struct { uint64_t a, b, c; } reference; } of; } wasmtime_val_t;

wasm_engine_t *wasm_engine_new(void);
wasi_config_t *wasi_config_new(void);
wasmtime_linker_t *wasmtime_linker_new(wasm_engine_t *);
wasmtime_store_t *wasmtime_store_new(wasm_engine_t *, void *data, void (*finalizer)(void *));
wasmtime_context_t *wasmtime_store_context(wasmtime_store_t *);
wasmtime_error_t *wasmtime_context_set_wasi(wasmtime_context_t *, wasi_config_t *);
wasmtime_error_t *wasmtime_linker_define_wasi(wasmtime_linker_t *);
wasmtime_error_t *wasmtime_module_new(wasm_engine_t *, const uint8_t *wasm, size_t, wasmtime_module_t **);
wasmtime_error_t *wasmtime_linker_instantiate(const wasmtime_linker_t *, wasmtime_context_t *, const wasmtime_module_t *, wasmtime_instance_t *, wasm_trap_t **);
bool wasmtime_instance_export_get(wasmtime_context_t *, const wasmtime_instance_t *, const char *name, size_t, wasmtime_extern_t *);
wasmtime_error_t *wasmtime_func_call(wasmtime_context_t *, const wasmtime_func_t *, const wasmtime_val_t *, size_t, wasmtime_val_t *, size_t, wasm_trap_t **);
wasmtime_error_t *wasmtime_global_set(wasmtime_context_t *, const wasmtime_global_t *, const wasmtime_val_t *);
uint8_t *wasmtime_memory_data(const wasmtime_context_t *, const wasmtime_memory_t *);
size_t wasmtime_memory_data_size(const wasmtime_context_t *, const wasmtime_memory_t *);
