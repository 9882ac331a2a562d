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

static bool fits(const struct route *route, const struct request *request, bool *other_method)
{
	if (!slice_is_absent(request->event_type))
		return route->type.len && slice_equal(route->type, request->event_type);
	if (!route->path.len || !slice_equal(route->path, request->path))
		return false;
	if (slice_equal(route->method, request->method))
		return true;
	*other_method = true;
	return false;
}

enum reason dialect_route(const struct dialect_set *set, const char *const *names, size_t count, struct request *request,
			  const struct dialect **dialect, const struct route **route, struct fault *f)
{
	const struct dialect *owner = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct dialect *d = find_dialect(set, names[i]);
		for (size_t r = 0; r < d->route_count; r++) {
			bool other_method = false;
			if (fits(&d->routes[r], request, &other_method)) {
				*dialect = d;
				*route = &d->routes[r];
				request->route = slice_of(d->routes[r].name);
				return REASON_OK;
			}
			if (other_method && !owner)
				owner = d;
		}
	}
	*route = NULL;
	*dialect = owner ? owner : find_dialect(set, names[0]);
	if (owner)
		return fault_set(f, REASON_METHOD_NOT_ALLOWED, "dialect %s knows the path with another method", owner->name);
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
