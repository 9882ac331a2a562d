// SPDX-License-Identifier: Apache-2.0
// A dialect as it is held in memory: everything in the set's arena, read-only once loaded.
#pragma once

#include <stdatomic.h>

#include "enrolld/crypto/sign.h"
#include "enrolld/dialect/dialect.h"
#include "enrolld/doc/json.h"
#include "enrolld/doc/node.h"
#include "enrolld/rules/rules.h"
#include "enrolld/template/template.h"

#define VIOLATIONS_MAX 64
#define STAGES_MAX 16
#define STEPS_MAX 8
#define FIELDS_MAX 256

// Where a field goes in the canonical registration.
enum target {
	TARGET_NONE,
	TARGET_EMAIL,
	TARGET_PHONE,
	TARGET_USERNAME,
	TARGET_PASSWORD,
	TARGET_PASSWORD_HASH,
	TARGET_GIVEN_NAME,
	TARGET_FAMILY_NAME,
	TARGET_DISPLAY_NAME,
	TARGET_BIRTH_DATE,
	TARGET_LOCALE,
	TARGET_ATTRIBUTES,
	TARGET_CODE,
	TARGET_LINK_TOKEN,
	TARGET_CHALLENGE_ID,
	TARGET_OLD_PASSWORD,
	TARGET_CODE_CHANNEL,
	TARGET_ACCOUNT_ID,
	TARGET_DEVICE_REGISTRATION,
	TARGET_DEVICE_NAME,
	TARGET_DEVICE_KIND,
	TARGET_REFRESH_TOKEN,
};

// A sentence in the dialect's languages; the first is always there.
struct words {
	const struct template **in; // by language; NULL: as in the first
};

// A rule with the words of its violation.
struct check {
	const struct rule *rule;
	struct slice at;   // pointer; of a field with "*" a pattern
	struct slice code; // in results
	struct slice as;   // in answers
	struct words text;
	const struct template_condition *when; // NULL: always
	size_t stage;
};

struct check_list {
	struct check *items;
	size_t count;
};

enum source { SOURCE_BODY, SOURCE_QUERY, SOURCE_PATH, SOURCE_HEADER };

// Where a value may stand: a pointer into the body, or a name.
struct place_of_value {
	enum source source;
	struct slice at;
};

enum coercion {
	COERCE_NUMBER_TO_TEXT = 1,
	COERCE_BOOLEAN_TO_TEXT = 2,
	COERCE_TEXT_TO_BOOLEAN = 4,
	COERCE_NUMBER_TO_BOOLEAN = 8,
	COERCE_TEXT_TO_INTEGER = 16,
	COERCE_TEXT_TO_NUMBER = 32,
	COERCE_ONE_TO_LIST = 64,
};

struct field {
	struct slice name;
	struct slice from; // how violations point at it
	struct place_of_value *places;
	size_t place_count;
	struct slice key;   // last part of the pointer
	struct words label; // in is NULL: the key
	enum target target;
	unsigned coerce; // of enum coercion
	const struct rules_step **steps;
	size_t step_count;
	const struct numbering *e164; // a last step: numbers that their country has become E.164; NULL: they stay
	bool null_missing, empty_missing, form_empty_missing, blank_presence, secret;
	bool wild;                   // its pointer has a "*"
	size_t depth;                // tokens of the pointer
	const struct field *outer;   // the one it is inside of, or NULL
	struct slice keep;           // name among the attributes; absent: not kept
	const struct node *fallback; // default; NULL: none
	size_t stage;                // of rules that do not say
	struct check_list checks;
	int line;
};

// How the body is read.
struct body {
	const struct slice *media; // accepted types; one "*" may stand for any run
	size_t media_count;
	const struct slice *accept; // of the answer; NULL: nobody asks
	size_t accept_count;
	struct json_limits limits;
	struct slice request_id; // pointer; absent: never from the body
	enum { UNKNOWN_DROP, UNKNOWN_REFUSE, UNKNOWN_REFUSE_EACH } unknown;
	enum { CASE_AS_WRITTEN, CASE_SNAKE, CASE_CAMEL } also;
	enum { REPEAT_LAST, REPEAT_FIRST, REPEAT_LIST } repeat;
	bool null_missing, empty_missing, form_empty_missing, none_is_object, flat_names, python_errors, duplicates_last;
	enum { UNKNOWN_LAST, UNKNOWN_FIRST, UNKNOWN_ALONE } unknown_told;
	struct slice types[8]; // the frontend's words for NULL, BOOL, INT, REAL, TEXT, LIST, MAP, and what is missing
};

struct collect {
	enum { TAKE_ALL, TAKE_FIRST_PER_FIELD, TAKE_FIRST } take;
	bool breadth_first, reversed;
};

struct answer_header {
	struct slice name;
	const struct template *value;
};

struct answer_spec {
	struct slice key;                      // "accepted", a reason's code, "unreadable", "refused", "expired", "dead"
	const struct template_condition *when; // NULL: always
	int status;
	struct answer_header *headers;
	size_t header_count;
	const struct template *body; // NULL: none
	const char *media;           // of a body that is no JSON; NULL: application/json
	int line;
};

struct answer_list {
	struct answer_spec *items; // those of one key stand together, the unconditional one last
	size_t count;
};

struct text_row {
	struct slice code;
	struct words text;
	const struct node *node; // as written
};

struct text_list {
	struct text_row *items;
	size_t count;
};

struct access {
	enum { ACCESS_CLOSED, ACCESS_KEY, ACCESS_BEARER } kind;
	const struct template_condition *when; // CLOSED
	struct slice header;                   // or, if by_query, a parameter of the query
	bool by_query;                         // KEY
	struct slice scheme;            // KEY: what stands before it in the header, as of RFC 9110, section 11.4; absent: nothing
	const struct rules_index *keys; // KEY
	struct slice column;            // KEY: with the key itself, which nobody is shown
	const struct token_spec *token; // BEARER: it must be one; NULL: the gateway has looked at it
	const struct rules_table *table;
};

struct access_list {
	struct access *items;
	size_t count;
};

#define LIMIT_PARTS_MAX 4

struct limit_part {
	enum { PART_ADDRESS, PART_KEY, PART_BEARER, PART_ROUTE, PART_RECIPIENT, PART_INPUT } kind;
	struct slice input; // a field's name
};

struct limit_spec {
	const char *name;
	struct limit_part parts[LIMIT_PARTS_MAX];
	size_t part_count;
	int64_t allowed;
	struct slice allowed_column; // of the key's row; absent: as above
	int64_t window_ms;
	enum limit_kind kind;
	enum limit_stage stage;
};

struct limit_list {
	struct limit_spec *items;
	size_t count;
};

// A member of a signed token's payload that is the same in all of its kind.
struct token_member {
	struct slice name, value;
};

struct token_spec {
	struct slice name;
	const char *kind; // part of what it is derived from
	int line;
	enum { TOKEN_LOOSE, TOKEN_ACCESS, TOKEN_REFRESH } use; // LOOSE: of no session
	const struct template *payload;                        // NULL: opaque
	bool is_link, hex;                                     // opaque: that of the link which a new e-mail address is sent
	struct sign_form form;
	struct token_member *members; // that one which is shown must have
	size_t member_count;
	int64_t life_ms;
	const char *alphabet; // of the id of a signed one, too
	size_t length;
};

struct derived {
	enum { DERIVE_TEXT, DERIVE_SLUG } kind;
	enum target target; // TEXT
	const struct template *text;
	enum key_form as;   // TEXT, of an identity
	struct slice empty; // SLUG
	size_t max;
};

// Which of the dialect's codes a route is about.
struct code_choice {
	bool there;
	const struct code_rule *rule; // NULL: the field says which, or the challenge that is named
	struct slice field;           // with the name of a purpose; absent: none
	struct slice caller;          // header by which who asks is known; absent: nobody is
};

// The link of a mail: what stands before its token and behind it.
struct code_link {
	const struct template *before, *after;
	bool hex;
	int line;
};

// Which sessions a sign-out ends.
struct scope_choice {
	enum session_scope scope; // where the field does not say it
	struct slice field;       // with one, device or all; absent: none
};

struct setting_value {
	struct slice name, value;
};

struct language_choice {
	enum { LANGUAGE_BY_FIELD, LANGUAGE_BY_QUERY, LANGUAGE_BY_HEADER, LANGUAGE_BY_PATH, LANGUAGE_BY_SETTING } by;
	struct slice name;
};

struct route {
	const struct dialect *dialect;
	const char *name; // with the dialect's
	enum operation_kind operation;
	struct slice method, path, type; // absent if not reached that way
	bool has_parameters;             // in its path
	struct body body;
	struct collect collect;
	const struct slice *stages;
	size_t stage_count;
	struct check_list root;
	struct field *fields;
	struct slice *field_names;
	size_t *by_depth; // indices of the fields, outer ones first
	size_t field_count;
	bool reads_body;
	struct check_list checks; // over the whole
	struct access_list access;
	struct limit_list limits;
	struct derived *derived;
	size_t derived_count;
	const struct template *opening; // JSON; NULL: none
	const struct node *opening_tree;
	const char *counter;               // NULL: no number
	bool unverified[CLAIM_KIND_COUNT]; // kinds of new addresses that are sent no code
	struct code_choice code;
	bool veils_taken;
	struct scope_choice ends;
	bool mints, opens; // its accepted answer carries tokens; of a session
	struct answer_list answers;
	int line;
};

struct dialect {
	const char *name;
	const char *file;
	const struct dialect_set *set;
	struct body body;
	struct collect collect;
	const struct slice *stages;
	size_t stage_count;
	struct setting_value *settings;
	size_t setting_count;
	struct dialect_warning *warnings; // those that hold
	size_t warning_count;
	struct rules_table *tables;
	size_t table_count;
	const struct slice *languages; // at least one
	size_t language_count;
	struct language_choice *choices;
	size_t choice_count;
	const struct node **catalogues; // by language; NULL for the first
	struct check_list root;
	struct text_list texts;
	struct access_list access;
	struct limit_list limits;
	struct token_spec *tokens;
	size_t token_count;
	const struct token_spec *access_token, *refresh_token; // of sessions; NULL: none
	struct session_rule session;
	bool has_sessions;
	struct code_rule *codes;
	size_t code_count;
	struct answer_header *headers;
	size_t header_count;
	struct answer_list answers;
	struct route *routes;
	size_t route_count;
};

struct named_list {
	const char *name;
	struct word_list *list;
	struct named_list *next;
};

struct dialect_set {
	struct arena *arena;
	atomic_size_t holders;
	struct dialect **dialects;
	size_t count;
	struct named_list *lists;
	const struct numbering *numbering; // NULL until a dialect needs it
	const struct keyring *keys;
	struct template_function *functions; // the rules' steps, for templates
};

// Anything that was not met.
struct found {
	const struct check *check; // NULL: a member that no field takes
	const struct field *field; // NULL: of the whole
	struct slice at;           // the concrete pointer
	const struct node *value;  // what was rejected; NULL if missing
	const struct field *like;
	size_t order; // of the check within its list
	size_t stage;
	int claim; // index of the claim that a rule "unique" made; -1: it has failed already
};

#define ROWS_MAX 8

struct row_found {
	struct slice name;
	const struct node *row;
};

// What was found in one request: what its answer may speak of besides the receipt. In the request's arena.
struct dialect_reading {
	const struct route *route;
	const struct request *request;
	struct arena *arena;
	struct registration *registration;
	int64_t now_ms;
	const struct node *root;                         // of the body; NULL: not read
	const char *type;                                // of the body's top; NULL: as above
	struct slice parse_error, parse_message;         // the whole, and without the place
	size_t parse_position, parse_line, parse_column; // in characters, from 0, 1 and 1; if parse_message is there
	bool is_form;                                    // whose texts may be empty because nothing was filled in
	struct rule_field *seen;                         // of the route's fields, NULL until they are read
	struct found *found;                             // by field in the order of evaluation, then of the whole
	size_t found_count;
	struct found uniques[CLAIMS_MAX]; // those that the database decides, one for each claim
	size_t unique_count;
	struct row_found rows[ROWS_MAX];
	size_t row_count;
	const struct node *key_row; // NULL: no key was asked
	const struct access *key_access;
	struct strbuf *trace; // what is asked and found, for people; NULL: nobody listens
};

// text.c: NULL if the list has none for the code.
const struct text_row *text_find(const struct text_list *texts, struct slice code);
const struct template *words_in(const struct words *words, size_t language);

// The first answer of the key whose conditions hold; NULL: none. scope NULL: the unconditional one.
const struct answer_spec *answer_find(const struct answer_list *answers, struct slice key, const struct template_scope *scope);

// path.c: paths with parameters.
bool path_fits(struct slice pattern, struct slice path) ATTR_MUST_USE;
bool path_same(struct slice a, struct slice b) ATTR_MUST_USE; // do both fit the same paths?
// The value of a parameter, percent-decoded; absent if there is none.
struct slice path_parameter(struct slice pattern, struct slice path, struct slice name, struct arena *arena);
struct slice query_parameter(struct slice query, struct slice name, struct arena *arena); // the last of that name, decoded
struct slice url_decoded(struct slice text, bool plus_is_space, struct arena *arena);

// language.c
size_t language_of(const struct dialect *dialect, const struct route *route, const struct request *request,
		   const struct dialect_reading *reading, struct arena *arena); // route may be NULL

// holds_secret.c: does what stands at one of the field's places (NULL: the whole body) hold a secret?
bool holds_secret(const struct route *route, const struct field *field) ATTR_MUST_USE;

// input.c: names that both rules' conditions and answers know: input.FIELD, query.NAME, path.NAME, header.NAME, setting.NAME, row.NAME.COLUMN.
// reading and route may be NULL.
bool input_find(const struct dialect *dialect, const struct route *route, const struct request *request,
		const struct dialect_reading *reading, struct slice name, struct arena *arena, struct template_value *value);
bool name_after(struct slice name, const char *prefix, struct slice *rest); // what follows "prefix" in the name

// pointer.c: JSON pointers.
struct slice pointer_next(struct slice *rest); // the token at the front, which is taken from rest; absent if there is none
size_t pointer_depth(struct slice pointer);
bool pointer_leads(struct slice outer, struct slice inner);                   // is inner below outer?
bool pointer_matches(struct slice pattern, struct slice pointer);             // "*" stands for any one token
struct slice pointer_last(struct slice pointer, struct arena *arena);         // its last token, unescaped
struct slice pointer_dotted(struct slice pointer, struct arena *arena);       // tokens with dots between
struct slice pointer_indexed(struct slice pointer, struct arena *arena);      // lines[0].sku
struct slice pointer_bracketed(struct slice pointer, struct arena *arena);    // lines[0][sku]
const struct node *pointer_tokens(struct slice pointer, struct arena *arena); // a list: texts, and integers for numbers of items
struct slice pointer_append(struct slice pointer, struct slice key, struct arena *arena);
struct slice pointer_cased(struct slice pointer, bool camel, struct arena *arena); // all tokens in camelCase or snake_case
