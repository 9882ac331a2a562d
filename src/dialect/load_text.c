// SPDX-License-Identifier: Apache-2.0
// "texts", "language" and "translations": sentences by code, and the same in other languages.
#include "dialect/loader.h"
#include "enrolld/doc/yaml.h"

#define LANGUAGES_MAX 64

static void compile(struct loader *loader, const struct node *node, int line, const struct template **sentence)
{
	struct template_origin origin = loader_origin(loader, node->line ? node->line : line);
	struct fault f;
	if (template_compile_sentence(node, &origin, sentence, &f) != REASON_OK)
		loader_fault(loader, &f);
}

// What a sentence is looked up by: its text, or of one with forms the form "other".
static struct slice key_of(const struct node *node)
{
	return node->type == NODE_MAP ? node_text(node_member(node, "other")) : node_text(node);
}

// Once for each sentence.
static void note_untranslated(struct loader *loader, const struct dialect *dialect, size_t language, struct slice sentence,
			      int line)
{
	struct strbuf *notes = loader->options ? loader->options->notes : NULL;
	if (!notes || slice_is_absent(sentence))
		return;
	struct slice tag = dialect->languages[language];
	struct slice tail = arena_printf(loader->set->arena, " no sentence for \"%.*s\" in %.*s; it is shown as it is\n",
					 sentence.len > 100 ? 100 : (int)sentence.len, sentence.ptr, (int)tag.len, tag.ptr);
	struct slice said = strbuf_slice(notes);
	if (said.len && memmem(said.ptr, said.len, tail.ptr, tail.len))
		return;
	strbuf_printf(notes, "%s:%d: note:", loader->file, line);
	strbuf_add_slice(notes, tail);
}

void load_words(struct loader *loader, const struct dialect *dialect, const struct node *node, struct slice code, int line,
		struct words *words)
{
	struct slice key = key_of(node);
	words->in = ARENA_ARRAY(loader->set->arena, dialect->language_count, const struct template *);
	compile(loader, node, line, &words->in[0]);
	for (size_t i = 1; i < dialect->language_count; i++) {
		const struct node *catalogue = dialect->catalogues[i];
		const struct node *other = slice_is_absent(key) ? NULL : node_member_slice(catalogue, key);
		if (!other && !slice_is_absent(code))
			other = node_member_slice(catalogue, code);
		if (other)
			compile(loader, other, other->line, &words->in[i]);
		else if (catalogue)
			note_untranslated(loader, dialect, i, key, node->line ? node->line : line);
	}
}

void load_texts(struct loader *loader, const struct node *map, struct dialect *dialect)
{
	if (!map)
		return;
	if (map->type != NODE_MAP) {
		loader_error(loader, map->line, "texts is a map from codes to sentences");
		return;
	}
	dialect->texts.items = ARENA_ARRAY(loader->set->arena, node_count(map), struct text_row);
	for (size_t i = 0; i < node_count(map); i++) {
		struct text_row *row = &dialect->texts.items[dialect->texts.count++];
		row->code = map->list.keys[i];
		row->node = map->list.items[i];
		load_words(loader, dialect, row->node, row->code, loader_key_line(map, i), &row->text);
	}
}

static bool tag_valid(struct slice tag)
{
	return name_plain(tag) && tag.len <= 35;
}

static void load_offered(struct loader *loader, const struct node *node, struct dialect *dialect)
{
	static const struct slice english[] = {{"en", 2}};
	dialect->languages = english;
	dialect->language_count = 1;
	(void)loader_texts(loader, node, "offered", &dialect->languages, &dialect->language_count);
	for (size_t i = 0; i < dialect->language_count; i++)
		if (!tag_valid(dialect->languages[i]) || dialect->language_count > LANGUAGES_MAX)
			loader_error(loader, node->line, "offered is a list of at most %d language tags like en, ar or pt-BR",
				     LANGUAGES_MAX);
}

static void load_choice(struct loader *loader, const struct node *node, struct language_choice *choice)
{
	static const char *const words[] = {"field", "query", "header", "path", "setting"};
	size_t by = 0;
	if (!node_is(node, NODE_MAP) || node_count(node) != 1) {
		loader_error(
			loader, node->line,
			"what chooses a language is {field: name}, {query: name}, {header: accept-language}, {path: name} or {setting: name}");
		return;
	}
	const struct node word = {.type = NODE_TEXT, .line = node->line, .text = node->list.keys[0]};
	(void)loader_choice(loader, &word, "what chooses a language", words, ARRAY_LEN(words), &by);
	choice->by = (unsigned)by;
	(void)loader_text(loader, node->list.items[0], "its name", &choice->name);
	choice->name = arena_copy(loader->set->arena, choice->name.ptr ? choice->name : SLICE_LIT(""));
}

static const struct node *load_catalogue(struct loader *loader, const struct dialect *dialect, const struct node *node)
{
	const struct node *root = node;
	struct fault f;
	if (node->type == NODE_TEXT) {
		if (node->text.len == 0 || memchr(node->text.ptr, '/', node->text.len)) {
			loader_error(loader, node->line, "a file of translations is in the dialect's folder: write its name alone");
			return NULL;
		}
		const char *path =
			arena_printf(loader->set->arena, "%s/%s/%s", loader->directory, dialect->name, node->text.ptr).ptr;
		if (yaml_parse_file(path, REASON_DIALECT_INVALID, loader->set->arena, &root, &f) != REASON_OK) {
			loader_fault(loader, &f);
			return NULL;
		}
	}
	if (node_is(root, NODE_MAP))
		return root;
	loader_error(loader, node->line,
		     "translations are a map from sentences or codes to sentences, or the name of a file with one");
	return NULL;
}

void load_languages(struct loader *loader, const struct node *root, struct dialect *dialect)
{
	static const char *const keys[] = {"offered", "choose"};
	const struct node *language = node_member(root, "language"), *translations = node_member(root, "translations");
	size_t count = 0;
	bool fine = !language || loader_keys(loader, language, "language", keys, ARRAY_LEN(keys));
	load_offered(loader, fine ? node_member(language, "offered") : NULL, dialect);
	(void)loader_list(loader, fine ? node_member(language, "choose") : NULL, "choose", 8, &count);
	dialect->choices = ARENA_ARRAY(loader->set->arena, count, struct language_choice);
	for (size_t i = 0; i < count; i++)
		load_choice(loader, node_item(node_member(language, "choose"), i), &dialect->choices[i]);
	dialect->choice_count = count;
	dialect->catalogues = ARENA_ARRAY(loader->set->arena, dialect->language_count, const struct node *);
	if (translations && translations->type != NODE_MAP) {
		loader_error(loader, translations->line, "translations is a map from languages to sentences");
		return;
	}
	for (size_t i = 0; i < node_count(translations); i++) {
		bool known = false;
		for (size_t j = 1; j < dialect->language_count; j++)
			if (slice_equal(dialect->languages[j], translations->list.keys[i])) {
				dialect->catalogues[j] = load_catalogue(loader, dialect, translations->list.items[i]);
				known = true;
			}
		if (!known)
			loader_error(loader, loader_key_line(translations, i),
				     "\"%.*s\" is not among the languages offered besides the first",
				     (int)translations->list.keys[i].len, translations->list.keys[i].ptr);
	}
}
