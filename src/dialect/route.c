// SPDX-License-Identifier: Apache-2.0
// Finding a route.
#include "dialect/dialect_private.h"

static const struct dialect *find_dialect(const struct dialect_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->dialects[i]->name, name) == 0)
			return set->dialects[i];
	PANIC("dialect %s is not loaded", name);
}

struct search {
	const struct request *request;
	const struct route *exact, *by_parameters; // the first of each
	const struct dialect *owner;               // of a route with the path, but another method
};

static void look_at(struct search *s, const struct route *route)
{
	const struct request *request = s->request;
	if (!slice_is_absent(request->event_type)) {
		if (route->type.len && slice_equal(route->type, request->event_type) && !s->exact)
			s->exact = route;
		return;
	}
	if (!route->path.len ||
	    !(route->has_parameters ? path_fits(route->path, request->path) : slice_equal(route->path, request->path)))
		return;
	if (!slice_equal(route->method, request->method)) {
		if (!s->owner)
			s->owner = route->dialect;
	} else if (route->has_parameters) {
		if (!s->by_parameters)
			s->by_parameters = route;
	} else if (!s->exact) {
		s->exact = route;
	}
}

enum reason dialect_route(const struct dialect_set *set, const char *const *names, size_t count, struct request *request,
			  const struct dialect **dialect, const struct route **route, struct fault *f)
{
	struct search s = {.request = request};
	for (size_t i = 0; i < count && !s.exact; i++) {
		const struct dialect *d = find_dialect(set, names[i]);
		for (size_t r = 0; r < d->route_count; r++)
			look_at(&s, &d->routes[r]);
	}
	*route = s.exact ? s.exact : s.by_parameters;
	if (*route) {
		*dialect = (*route)->dialect;
		request->route = slice_of((*route)->name);
		return REASON_OK;
	}
	*dialect = s.owner ? s.owner : find_dialect(set, names[0]);
	if (s.owner)
		return fault_set(f, REASON_METHOD_NOT_ALLOWED, "dialect %s knows the path with another method", s.owner->name);
	return fault_set(f, REASON_ROUTE_UNKNOWN, "no dialect of the topic knows the %s",
			 slice_is_absent(request->event_type) ? "path" : "event type");
}

enum operation_kind route_operation(const struct route *route)
{
	return route->operation;
}

const char *route_name(const struct route *route)
{
	return route->name;
}

const char *dialect_name(const struct dialect *dialect)
{
	return dialect->name;
}
