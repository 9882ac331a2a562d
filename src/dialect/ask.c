// SPDX-License-Identifier: Apache-2.0
// Asking the rules: stage by stage until one is not met, outer fields before those inside them, secrets last, since their rules look at names and
// identities wherever these stand in the file.
#include "dialect/reading.h"

// How a field has done so far.
struct progress {
	bool failed;
	bool inside; // it is asked at all: the outer one is there and has met its rules
};

struct asking {
	struct dialect_reading *reading;
	struct progress *fields;
	size_t stage;
};

void found_add(struct dialect_reading *reading, struct found found)
{
	if (!reading->found)
		reading->found = ARENA_ARRAY(reading->arena, VIOLATIONS_MAX, struct found);
	if (reading->found_count < VIOLATIONS_MAX)
		reading->found[reading->found_count++] = found;
}

struct rule_input reading_input(struct dialect_reading *reading, const struct rule_field *field, struct rule_notes *notes)
{
	return (struct rule_input){
		.field = field,
		.fields = reading->seen,
		.field_count = reading->route->field_count,
		.registration = reading->registration,
		.now_ms = reading->now_ms,
		.arena = reading->arena,
		.notes = notes,
	};
}

static bool find_input(void *context, struct slice name, struct template_value *value)
{
	const struct dialect_reading *reading = context;
	return input_find(reading->route->dialect, reading->route, reading->request, reading, name, reading->arena, value);
}

static bool wanted(struct dialect_reading *reading, const struct check *check)
{
	const struct template_scope scope = {.find = find_input, .context = reading};
	return !check->when || template_condition_holds(check->when, &scope);
}

static void note_row(struct dialect_reading *reading, const struct rule_notes *notes)
{
	if (notes->row && reading->row_count < ROWS_MAX)
		reading->rows[reading->row_count++] = (struct row_found){notes->row_name, notes->row};
}

// Of the pattern's "*", the numbers that the concrete pointer has in their place.
static struct slice concrete(const struct check *check, const struct field *field, struct slice at)
{
	return field && field->wild && slice_equal(check->at, field->from) ? at : check->at;
}

// Asks one check; true if it is met.
static bool ask_check(struct dialect_reading *reading, const struct check_list *checks, size_t index, const struct field *field,
		      const struct rule_field *seen, struct slice at)
{
	const struct check *check = &checks->items[index];
	struct rule_notes notes = {0};
	struct rule_input input = reading_input(reading, seen, &notes);
	bool blank = field && field->blank_presence && seen->text.ptr && rules_trim(seen->text).len == 0;
	if ((blank && !rule_about_presence(check->rule)) || !wanted(reading, check)) {
		trace_check(reading, check, field, at,
			    blank ? "not asked of a blank text" : "not asked: its conditions do not hold");
		return true;
	}
	if (rule_holds(check->rule, &input)) {
		trace_check(reading, check, field, at, rule_unique(check->rule) ? "the database decides" : "met");
		note_row(reading, &notes);
		return true;
	}
	trace_check(reading, check, field, at, "NOT MET");
	found_add(reading, (struct found){
				   .check = check,
				   .field = field,
				   .at = concrete(check, field, at),
				   .value = seen ? seen->value : NULL,
				   .like = notes.like ? &reading->route->fields[notes.like - reading->seen] : NULL,
				   .order = index,
				   .stage = check->stage,
				   .claim = -1,
			   });
	return false;
}

static bool ask_checks(const struct asking *asking, const struct field *field, const struct rule_field *seen, struct slice at)
{
	bool met = true;
	for (size_t i = 0; i < field->checks.count; i++) {
		const struct check *check = &field->checks.items[i];
		if (check->stage != asking->stage || ask_check(asking->reading, &field->checks, i, field, seen, at))
			continue;
		met = false;
		if (rule_words(check->rule)->stop)
			break;
	}
	return met;
}

// Each value that a pointer with "*" leads to.
static bool ask_each(const struct asking *asking, const struct field *field, const struct node *node, struct slice done,
		     struct slice rest)
{
	struct slice token = pointer_next(&rest);
	if (slice_is_absent(token)) {
		struct rule_field seen = see_node(asking->reading, field, node);
		return ask_checks(asking, field, &seen, done);
	}
	if (!slice_equal_text(token, "*")) {
		struct slice step = {token.ptr - 1, token.len + 1};
		struct slice next = arena_printf(asking->reading->arena, "%.*s%.*s", (int)done.len, done.ptr, (int)step.len,
						 step.ptr);
		return ask_each(asking, field, node ? node_at(node, step) : NULL, next, rest);
	}
	bool met = true;
	struct arena *arena = asking->reading->arena;
	for (size_t i = 0; i < node_count(node) && asking->reading->found_count < VIOLATIONS_MAX; i++) {
		struct slice next = node_is(node, NODE_MAP) ? pointer_append(done, node->list.keys[i], arena)
							    : arena_printf(arena, "%.*s/%zu", (int)done.len, done.ptr, i);
		if (!ask_each(asking, field, node->list.items[i], next, rest))
			met = false;
	}
	return met;
}

static bool is_inside(const struct asking *asking, const struct field *field)
{
	if (!field->outer)
		return true;
	size_t outer = (size_t)(field->outer - asking->reading->route->fields);
	return asking->fields[outer].inside && !asking->fields[outer].failed &&
	       (field->outer->wild || asking->reading->seen[outer].value != NULL);
}

static void ask_field(const struct asking *asking, size_t index)
{
	struct dialect_reading *reading = asking->reading;
	const struct field *field = &reading->route->fields[index];
	struct progress *progress = &asking->fields[index];
	progress->inside = is_inside(asking, field);
	if (!progress->inside || progress->failed)
		return;
	bool met = field->wild ? ask_each(asking, field, reading->root, SLICE_LIT(""), field->from)
			       : ask_checks(asking, field, &reading->seen[index], field->from);
	progress->failed = !met;
}

// Names and identities of the fields that met the first stage.
static void map_fields(const struct asking *asking)
{
	struct dialect_reading *reading = asking->reading;
	for (size_t i = 0; i < reading->route->field_count; i++) {
		const struct field *field = &reading->route->fields[i];
		const struct progress *progress = &asking->fields[i];
		if (field->secret || field->wild || progress->failed || !progress->inside || !reading->seen[i].value)
			continue;
		map_field(reading, field, &reading->seen[i]);
		map_claims(reading, field, &reading->seen[i]);
	}
}

static void ask_fields(const struct asking *asking, bool secrets)
{
	const struct route *route = asking->reading->route;
	for (size_t i = 0; i < route->field_count; i++)
		if (route->fields[route->by_depth[i]].secret == secrets)
			ask_field(asking, route->by_depth[i]);
}

static void ask_stage(const struct asking *asking)
{
	const struct check_list *checks = &asking->reading->route->checks;
	trace_stage(asking->reading, asking->reading->route->stages[asking->stage]);
	ask_fields(asking, false);
	if (asking->stage == 0)
		map_fields(asking);
	ask_fields(asking, true);
	for (size_t i = 0; i < checks->count; i++)
		if (checks->items[i].stage == asking->stage && !ask_check(asking->reading, checks, i, NULL, NULL, SLICE_ABSENT) &&
		    rule_words(checks->items[i].rule)->stop)
			break;
}

// Rules of the top; whatever fails here hides all others.
static bool ask_root(struct dialect_reading *reading)
{
	const struct check_list *root = &reading->route->root;
	struct rule_field seen = {.value = reading->root, .text = node_text(reading->root)};
	for (size_t i = 0; i < root->count && reading->found_count == 0; i++)
		(void)!ask_check(reading, root, i, NULL, &seen, SLICE_LIT(""));
	return reading->found_count == 0;
}

void ask_all(struct dialect_reading *reading)
{
	const struct route *route = reading->route;
	struct asking asking = {.reading = reading, .fields = ARENA_ARRAY(reading->arena, route->field_count, struct progress)};
	if (reading->root && !ask_root(reading))
		return;
	if (reading->root && route->body.unknown_told == UNKNOWN_ALONE)
		unknown_find(reading);
	for (asking.stage = 0; asking.stage < route->stage_count && reading->found_count == 0; asking.stage++) {
		ask_stage(&asking);
		if (asking.stage == 0 && reading->root && route->body.unknown_told != UNKNOWN_ALONE)
			unknown_find(reading);
	}
}
