/*
 * host.c: who is logged in to Django? Runs djedge.wasm in Wasmtime, by docs/abi.md, and answers what it asks from Django's
 * SQLite database, which is only read. See README.md for how to build and use it.
 *
 * Each line of standard input is a request's Cookie header; its answer is a line with the outcome, the status, the reason's
 * number, and the user's id and name. A frame that cannot be read, like a trap, ends the program: nobody is let in by that.
 */
#define _DEFAULT_SOURCE
#include <sqlite3.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wasmtime.h>

enum { MAX_MESSAGE = 16 << 20, FUEL = 200000000 };
enum { CONFIGURE = 1, CONFIGURED, BEGIN, EFFECTS, RESUME, DONE }; /* frames */
enum { CHECK = 1, QUERY = 1, RESULTS = 2, ERROR = 4 };            /* operation, effect, answers */
enum { NUL, BOOL, INT, FLOAT, TEXT, BYTES };                      /* values */

static void die(const char *why) {
    fprintf(stderr, "host: %s\n", why);
    exit(1);
}

/* Writing: a message grows in out. A record is opened and closed, which writes its length. */
static uint8_t out[MAX_MESSAGE];
static size_t used;

static void put(const void *bytes, size_t n) {
    if (n > sizeof out - used) die("a message is too long");
    if (n) memcpy(out + used, bytes, n);
    used += n;
}
static void number(uint64_t v, int size) {
    for (; size > 0; size--, v >>= 8) put(&(uint8_t){v & 0xff}, 1);
}
static void bytes(const void *b, size_t n) { number(n, 4), put(b, n); }
static void text(const char *s) { bytes(s, strlen(s)); }
static size_t record(void) { return number(0, 4), used; }
static void patch(size_t at, size_t v) {
    size_t end = used;
    used = at, number(v, 4), used = end;
}
static void done(size_t record) { patch(record - 4, used - record); }

/* Reading: a field that is missing at the end of a record is zero. */
typedef struct { const uint8_t *at; size_t left; } part;

static uint64_t take(part *p, size_t n) {
    uint64_t v = 0;
    if (p->left == 0) return 0;
    if (p->left < n) die("a frame cannot be read");
    for (size_t i = 0; i < n; i++) v |= (uint64_t)p->at[i] << 8 * i;
    p->at += n, p->left -= n;
    return v;
}
static uint32_t length(part *p) { /* of a list, or of the bytes that follow */
    uint32_t n = take(p, 4);
    if (n > p->left) die("a frame cannot be read");
    return n;
}
static part piece(part *p) { /* a text, bytes or a record */
    uint32_t n = length(p);
    part r = {p->at, n};
    p->at += n, p->left -= n;
    return r;
}

/* The module. */
static wasmtime_context_t *store;
static wasmtime_instance_t instance;

static wasmtime_extern_t find(const char *name) {
    wasmtime_extern_t e;
    if (!wasmtime_instance_export_get(store, &instance, name, strlen(name), &e)) die(name);
    return e;
}
static uint64_t call(const char *name, int results, int n, uint32_t a, uint32_t b, uint32_t c) {
    wasmtime_extern_t function = find(name), fuel = find("djedge_fuel");
    wasmtime_val_t limit = {.kind = WASMTIME_I64, .of.i64 = FUEL}, result = {.of.i64 = 0};
    wasmtime_val_t arguments[3] = {{.of.i32 = a}, {.of.i32 = b}, {.of.i32 = c}}; /* of kind WASMTIME_I32, which is 0 */
    wasm_trap_t *trap = NULL;
    if (wasmtime_global_set(store, &fuel.of.global, &limit)) die("djedge_fuel");
    if (wasmtime_func_call(store, &function.of.func, arguments, n, &result, results, &trap) || trap) die(name);
    return result.kind == WASMTIME_I64 ? (uint64_t)result.of.i64 : (uint32_t)result.of.i32;
}
static uint8_t *memory(uint64_t at, size_t n) { /* found anew each time: any call may have moved it */
    wasmtime_extern_t m = find("memory");
    if (at + n > wasmtime_memory_data_size(store, &m.of.memory)) die("a frame is not in the memory");
    return wasmtime_memory_data(store, &m.of.memory) + at;
}
/* send hands the message in out to an export, and returns the frame that comes back, which is good until the next one. */
static part send(const char *export, uint32_t handle, uint8_t *kind) {
    static uint8_t in[MAX_MESSAGE];
    uint32_t n = used, at = call("djedge_alloc", 1, 1, n, 0, 0);
    if (at == 0) die("the module has no buffer");
    memcpy(memory(at, n), out, n);
    memset(out, 0, n), used = 0; /* there are keys and cookies in it */
    uint64_t packed = handle ? call(export, 1, 3, handle, at, n) : call(export, 1, 2, at, n, 0);
    part frame = {in, (uint32_t)packed};
    if (frame.left > sizeof in) die("a frame is too long");
    memcpy(in, memory(packed >> 32, frame.left), frame.left);
    call("djedge_free", 0, 1, at, 0, 0);
    *kind = take(&frame, 1);
    part body = piece(&frame);
    if (frame.left) die("a frame cannot be read");
    return body;
}

static char *statements[256];
static uint32_t count;

static void configure(void) {
    const char *settings[][2] = {{"version", "5.2"}, {"dialect", "sqlite"},
        {"key_session", getenv("DJEDGE_KEY_SESSION")}, {"key_auth_hash", getenv("DJEDGE_KEY_AUTH_HASH")}};
    uint8_t kind;
    number(CONFIGURE, 1);
    size_t frame = record();
    number(4, 4);
    for (int i = 0; i < 4; i++) text(settings[i][0]), text(settings[i][1] ? settings[i][1] : "");
    done(frame);
    part p = send("djedge_configure", 0, &kind), error = piece(&p);
    if (kind != CONFIGURED || error.left) die(strndup((const char *)error.at, error.left));
    if ((count = length(&p)) > 256) die("there are more statements than this host expects");
    for (uint32_t i = 0; i < count; i++) {
        piece(&p); /* its name */
        part sql = piece(&p);
        statements[i] = strndup((const char *)sql.at, sql.left);
    }
}

static int bind(sqlite3_stmt *s, int i, part *p) { /* of the kinds of arguments that SQLite's statements have */
    uint8_t kind = take(p, 1);
    if (kind == INT) return sqlite3_bind_int64(s, i, (int64_t)take(p, 8));
    part b = kind == TEXT ? piece(p) : (part){NULL, 0};
    return kind == TEXT ? sqlite3_bind_text(s, i, (const char *)b.at, b.left, SQLITE_STATIC) : SQLITE_MISMATCH;
}
static void column(sqlite3_stmt *s, int i) {
    double d = sqlite3_column_double(s, i);
    switch (sqlite3_column_type(s, i)) {
    case SQLITE_INTEGER: number(INT, 1), number(sqlite3_column_int64(s, i), 8); break;
    case SQLITE_FLOAT: number(FLOAT, 1), put(&d, 8); break; /* on a little-endian machine */
    case SQLITE_TEXT: number(TEXT, 1), bytes(sqlite3_column_text(s, i), sqlite3_column_bytes(s, i)); break;
    case SQLITE_BLOB: number(BYTES, 1), bytes(sqlite3_column_blob(s, i), sqlite3_column_bytes(s, i)); break;
    default: number(NUL, 1);
    }
}
/* query writes one statement's result. An error of the database is never an empty result. */
static int query(sqlite3 *db, part s) {
    uint32_t index = take(&s, 4), arguments = length(&s), rows = 0; /* a check has no statement but those of the table */
    sqlite3_stmt *stmt;
    if (index >= count || sqlite3_prepare_v2(db, statements[index], -1, &stmt, NULL) != SQLITE_OK) return SQLITE_ERROR;
    int step = SQLITE_OK, n = sqlite3_column_count(stmt);
    for (uint32_t i = 1; step == SQLITE_OK && i <= arguments; i++) step = bind(stmt, i, &s);
    size_t result = record();
    number(0, 8), number(0, 4), number(0, 4); /* affected; columns: not named; rows: counted below */
    while ((step == SQLITE_OK || step == SQLITE_ROW) && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        number(n, 4), rows++;
        for (int i = 0; i < n; i++) column(stmt, i);
    }
    patch(result + 12, rows), done(result);
    sqlite3_finalize(stmt);
    return step;
}
static void answer(sqlite3 *db, uint8_t kind, part effect) {
    int step = kind == QUERY ? SQLITE_DONE : SQLITE_ERROR; /* a check with sessions in the database asks for nothing else */
    size_t start = used, body = (number(RESULTS, 1), record());
    take(&effect, 1); /* atomic: nothing is written */
    uint32_t n = length(&effect);
    for (number(n, 4); n > 0 && step == SQLITE_DONE; n--) step = query(db, piece(&effect));
    if (step != SQLITE_DONE) used = start, number(ERROR, 1), body = record(), text("this host cannot answer");
    done(body);
}

static void start(void) { /* the time; a check needs no randomness */
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    size_t start = record();
    number(t.tv_sec * 1000000LL + t.tv_nsec / 1000, 8), number(0, 4);
    done(start);
}
static void check(sqlite3 *db, const char *cookie) {
    uint8_t kind;
    size_t frame = (number(BEGIN, 1), record());
    start();
    size_t operation = record(), request = (number(CHECK, 1), record());
    text("GET"), text("/"), text("localhost"), text("https"), number(1, 4), text("cookie"), text(cookie);
    done(request), text("authenticated"), done(operation), done(frame);
    part p = send("djedge_begin", 0, &kind);
    while (kind == EFFECTS) {
        uint32_t handle = take(&p, 8), n = length(&p);
        frame = (number(RESUME, 1), record());
        start();
        for (number(n, 4); n > 0; n--) kind = take(&p, 1), answer(db, kind, piece(&p));
        done(frame);
        p = send("djedge_resume", handle, &kind);
    }
    if (kind != DONE) die("the module does not answer");
    part d = piece(&p);
    int outcome = take(&d, 1), status = take(&d, 8), reason = take(&d, 1);
    const char *said = outcome == 1 ? "allow" : outcome == 2 ? "deny" : "error";
    piece(&d), take(&d, 1); /* detail; user known: else there is no identity */
    part identity = piece(&d), id = piece(&identity), name = piece(&identity);
    printf("%s %d %d", said, status, reason);
    if (id.left) printf(" %.*s %.*s", (int)id.left, id.at, (int)name.left, name.at);
    printf("\n");
}

int main(int argc, char **argv) {
    static uint8_t wasm[64 << 20];
    static char cookie[64 << 10];
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    sqlite3 *db;
    if (!file) die("usage: host djedge.wasm db.sqlite3 < cookies");
    if (sqlite3_open_v2(argv[2], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) die(sqlite3_errmsg(db));
    size_t size = fread(wasm, 1, sizeof wasm, file);

    wasm_engine_t *engine = wasm_engine_new();
    wasmtime_linker_t *linker = wasmtime_linker_new(engine);
    wasmtime_module_t *module;
    wasm_trap_t *trap = NULL;
    store = wasmtime_store_context(wasmtime_store_new(engine, NULL, NULL));
    if (wasmtime_module_new(engine, wasm, size, &module)) die("this is no WebAssembly module");
    if (wasmtime_linker_define_wasi(linker) || wasmtime_context_set_wasi(store, wasi_config_new())) die("no WASI");
    if (wasmtime_linker_instantiate(linker, store, module, &instance, &trap) || trap) die("cannot instantiate the module");
    call("_initialize", 0, 0, 0, 0, 0);
    if (call("djedge_abi", 1, 0, 0, 0, 0) != 0) die("the module speaks another version of the ABI");
    configure();
    while (fgets(cookie, sizeof cookie, stdin)) {
        cookie[strcspn(cookie, "\r\n")] = 0;
        check(db, cookie);
    }
    return 0;
}
