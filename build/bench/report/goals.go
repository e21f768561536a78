package report

// Goal is a bound on a result.
type Goal struct {
	What    string
	Name    string // of the result
	AtMost  bool   // else at least
	Bound   float64
	Section string // the part of the benchmark that measures it
}

// Names of the results that have goals, but for those of keys, which are a function and an engine.
const (
	SeedTotal      = "seed aiohttp ÷ djedge, total CPU, PostgreSQL"
	DjangoTotal    = "Django gthread ÷ djedge, total CPU, PostgreSQL"
	SeedNeverSeen  = "seed aiohttp ÷ djedge, total CPU, never-seen keys"
	HelloDatabase  = "server CPU ÷ net/http hello: database"
	HelloCookies   = "server CPU ÷ net/http hello: signed cookies"
	ModuleRequest  = "module engine ÷ native engine, CPU of a request"
	DjangoSQLite   = "Django SQLite ÷ djedge SQLite, CPU"
	Memory         = "memory ÷ seed aiohttp"
	LoginsDjedge   = "p99 of checks under logins ÷ idle: djedge"
	LoginsDjango   = "p99 of checks under logins ÷ idle: Django gthread"
	InstanceCPU    = "a new module instance, CPU"
	InstanceMemory = "a new module instance, memory"
	WazeroVerified = "wazero adds to a check, bytes verified before"
	WazeroFresh    = "wazero adds to a check, bytes not verified before"
	Growth         = "cost per check, 10 to 10⁷ sessions: largest above smallest"
	JSCheck        = "JS check"
	JSPBKDF2       = "pbkdf2 in the module ÷ hash-wasm"
)

// Goals are what the project wants to reach, in the order of the page.
func Goals() []Goal {
	return []Goal{
		{"PBKDF2-SHA256 speed ÷ OpenSSL: native", "pbkdf2_sha256 native", false, 3, "kdf"},
		{"… in wazero", "pbkdf2_sha256 wazero", false, 0.5, "kdf"},
		{"… in wasmtime", "pbkdf2_sha256 wasmtime", false, 0.6, "kdf"},
		{"… in V8 (Node)", "pbkdf2_sha256 node", false, 0.6, "kdf"},
		{"two passwords side by side on one core, speed per password", "two passwords side by side", false, 5, "kdf"},
		{"argon2id in wazero ÷ argon2-cffi", "argon2id wazero", false, 0.65, "kdf"},
		{"scrypt in wazero ÷ hashlib", "scrypt wazero", false, 0.45, "kdf"},
		{"seed aiohttp total CPU (server and database) ÷ ours, PostgreSQL, every request reads both rows", SeedTotal, false, 30, "checks"},
		{"Django gthread total CPU ÷ ours, the same", DjangoTotal, false, 48, "checks"},
		{"never-seen keys: seed ÷ ours", SeedNeverSeen, false, 12, "checks"},
		{"server CPU ÷ net/http hello: database", HelloDatabase, true, 1.4, "checks"},
		{"server CPU ÷ net/http hello: signed cookies", HelloCookies, true, 1.3, "checks"},
		{"module engine ÷ native engine, CPU of a whole request, PostgreSQL, warm", ModuleRequest, true, 1.3, "checks"},
		{"what wazero adds to a check, bytes verified before (µs)", WazeroVerified, true, 10, "module"},
		{"… bytes not verified before (µs)", WazeroFresh, true, 35, "module"},
		{"Django SQLite ÷ ours on SQLite", DjangoSQLite, false, 45, "checks"},
		{"p99 of checks under a login flood ÷ idle", LoginsDjedge, true, 2, "logins"},
		{"memory ÷ seed aiohttp (native engine, 10,000 live sessions)", Memory, true, 0.5, "checks"},
		{"a new module instance: instantiate and initialise (ms of CPU)", InstanceCPU, true, 2, "module"},
		{"a new module instance: memory (MB)", InstanceMemory, true, 2.5, "module"},
		{"cost per check from 10 to 10⁷ sessions: largest above smallest (%)", Growth, true, 10, "growth"},
		{"npm package in Node: a check (ms of CPU)", JSCheck, true, 0.15, "js"},
		{"npm package in Node: PBKDF2-SHA256 speed in the module ÷ hash-wasm", JSPBKDF2, false, 7, "js"},
	}
}

// Met says whether value reaches the goal.
func (g Goal) Met(value float64) bool {
	if g.AtMost {
		return value <= g.Bound
	}
	return value >= g.Bound
}
