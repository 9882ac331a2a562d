// SPDX-License-Identifier: Apache-2.0
// PBKDF2 against published vectors.
#include "crypto/pbkdf2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/base/hex.h"

// RFC 7914 section 11 gives 64 bytes of each; the first block is the first 32.
static void sha256_vectors(void **state)
{
	(void)state;
	static const struct {
		const char *password, *salt;
		uint32_t rounds;
		const char *hex;
	} cases[] = {
		{"passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
		{"Password", "NaCl", 80000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"},
		{"password", "salt", 2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"},
		{"password", "salt", 4096, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t out[PBKDF2_SHA256_SIZE];
		char hex[HEX_TEXT_SIZE(sizeof(out))];
		pbkdf2_sha256(slice_of(cases[i].password), slice_of(cases[i].salt), cases[i].rounds, out);
		hex_encode(out, sizeof(out), hex);
		assert_string_equal(hex, cases[i].hex);
	}
}

// Keys longer than the block are hashed first (RFC 2104). Values of Python's hashlib.
static void sha512_vectors(void **state)
{
	(void)state;
	static const struct {
		size_t len;
		uint32_t rounds;
		const char *hex;
	} cases[] = {
		{0, 1,
		 "00ef42cdbfc98d29db20976608e455567fdddf141f6eb03b5a85addd25974f5d"
		 "2375bd5082b803e8f4cfa88ae1bd25256fcbddd2318676566ff2797792302aee"},
		{8, 1,
		 "15b843416d4812a514e1dedf75022c94267f3cc076639b69cf5f77dec90121c1"
		 "aab629cad14df33e145941e455f52abd71413eedb095289cf003b7e724d30131"},
		{8, 1000,
		 "9fcb4cdb1e928702b1efc3b1a91a06128861b0d6cd6c7da954f541d640fed40a"
		 "b390d0fc715a56574dceeeeab4382b8a776b0e60be196306cf8f46b73b218cdb"},
		{128, 3,
		 "ae9967296ba9f3ff05582b4a78e59c1bb1bf135aa82f6959b03fd5e61f8deb71"
		 "a6e31aba4a51d857897ca861e5be3a715fca5cb05d0fb3d99254e5effa168e47"},
		{129, 3,
		 "fc17be54909918c01aac2de22ea457327fdc0b70b730cef9ce4904a1579467dc"
		 "87584ddbfccf5c9f448e1436eeb0afdb99572476afa6fe189f1ac54f708b1c1f"},
		{300, 10,
		 "37d18bed9c9df1662d57c97403ca41814751ed2321a7cd8e92bff41e2423c857"
		 "b8ac9fe3d6456923006884bd6e704570e34ac4391e7dd57ab5c8114cd3f8a6fe"},
	};
	char password[300];
	memset(password, 'p', sizeof(password));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t out[PBKDF2_SHA512_SIZE];
		char hex[HEX_TEXT_SIZE(sizeof(out))];
		pbkdf2_sha512((struct slice){password, cases[i].len}, SLICE_LIT("salt"), cases[i].rounds, out);
		hex_encode(out, sizeof(out), hex);
		assert_string_equal(hex, cases[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_vectors),
		cmocka_unit_test(sha512_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
