/* SPDX-License-Identifier: ISC */
/* The table of clients; what a field means is in ikev1/core/persona.h. */
#include "test/lib/personas.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- suites -------------------------------------------------------------- */

/* Phase 1, by short names: cipher, bits, hash, group. */
#define P1(c, bits, h, g)                                                      \
	{                                                                      \
		IKE_CIPHER_##c, bits, IKE_HASH_##h, IKE_GROUP_##g              \
	}
#define P2(c, bits, h)                                                         \
	{                                                                      \
		ESP_##c, bits, ESP_AUTH_##h, IKE_GROUP_NONE                    \
	}
/* RouterOS asks for PFS with group 2. */
#define P2_PFS(c, bits, h)                                                     \
	{                                                                      \
		ESP_##c, bits, ESP_AUTH_##h, IKE_GROUP_MODP1024                \
	}

static const struct ike_suite windows_ike[] = {
    P1(AES, 256, SHA1, ECP384),
    P1(AES, 128, SHA1, ECP256),
    P1(AES, 256, SHA1, MODP2048),
    P1(3DES, 192, SHA1, MODP2048),
    P1(3DES, 192, SHA1, MODP1024),
};
static const struct ike_suite windows_esp[] = {
    P2(AES, 256, SHA1),
    P2(AES, 128, SHA1),
    P2(3DES, 192, SHA1),
    P2(DES, 64, SHA1),
    P2(NULL, 0, SHA1),
};

static const struct ike_suite apple_ike[] = {
    P1(AES, 256, SHA256, MODP2048),
    P1(AES, 256, SHA1, MODP2048),
    P1(AES, 256, MD5, MODP2048),
    P1(AES, 256, SHA512, MODP2048),
    P1(AES, 256, SHA256, MODP1536),
    P1(AES, 256, SHA1, MODP1536),
    P1(AES, 256, MD5, MODP1536),
    P1(AES, 256, SHA256, MODP1024),
    P1(AES, 256, SHA1, MODP1024),
    P1(AES, 256, MD5, MODP1024),
    P1(AES, 128, SHA1, MODP1024),
    P1(AES, 128, MD5, MODP1024),
    P1(3DES, 192, SHA1, MODP1024),
    P1(3DES, 192, MD5, MODP1024),
};
static const struct ike_suite apple_esp[] = {
    P2(AES, 256, SHA256),
    P2(AES, 256, SHA1),
    P2(AES, 256, MD5),
    P2(AES, 128, SHA256),
    P2(AES, 128, SHA1),
    P2(AES, 128, MD5),
    P2(3DES, 192, SHA256),
    P2(3DES, 192, SHA1),
    P2(3DES, 192, MD5),
};

static const struct ike_suite android_ike[] = {
    P1(AES, 256, SHA384, MODP1024),
    P1(AES, 256, SHA256, MODP1024),
    P1(AES, 256, SHA512, MODP1024),
    P1(AES, 256, SHA1, MODP1024),
    P1(AES, 256, MD5, MODP1024),
    P1(AES, 128, SHA512, MODP1024),
    P1(AES, 128, SHA384, MODP1024),
    P1(AES, 128, SHA256, MODP1024),
    P1(AES, 128, SHA1, MODP1024),
    P1(AES, 128, MD5, MODP1024),
    P1(3DES, 192, SHA256, MODP1024),
    P1(3DES, 192, SHA1, MODP1024),
    P1(3DES, 192, MD5, MODP1024),
    P1(DES, 64, SHA256, MODP1024),
    P1(DES, 64, SHA1, MODP1024),
    P1(DES, 64, MD5, MODP1024),
};
#define ANDROID_AUTHS(c, bits)                                                 \
	P2(c, bits, SHA512), P2(c, bits, SHA384), P2(c, bits, SHA1),           \
	    P2(c, bits, SHA256), P2(c, bits, MD5)
static const struct ike_suite android_esp[] = {
    ANDROID_AUTHS(AES, 256),
    ANDROID_AUTHS(AES, 128),
    ANDROID_AUTHS(3DES, 192),
    ANDROID_AUTHS(DES, 64),
};

static const struct ike_suite chromeos_ike[] = {
    P1(AES, 128, SHA256, MODP3072),
    P1(AES, 128, SHA1, MODP2048),
    P1(3DES, 192, SHA1, MODP1536),
    P1(3DES, 192, SHA1, MODP1024),
};
static const struct ike_suite chromeos_esp[] = {
    P2(AES_GCM_16, 128, NONE),
    P2(AES, 128, SHA256),
    P2(AES, 128, SHA1),
    P2(3DES, 192, SHA1),
    P2(3DES, 192, MD5),
};

static const struct ike_suite networkmanager_ike[] = {
    P1(AES, 256, SHA256, MODP2048),
    P1(AES, 256, SHA256, MODP1536),
    P1(AES, 256, SHA256, MODP1024),
    P1(AES, 256, SHA1, MODP2048),
    P1(AES, 256, SHA1, MODP1536),
    P1(AES, 256, SHA1, MODP1024),
    P1(AES, 256, SHA1, ECP384),
    P1(AES, 128, SHA1, MODP1024),
    P1(AES, 128, SHA1, ECP256),
    P1(3DES, 192, SHA1, MODP2048),
    P1(3DES, 192, SHA1, MODP1024),
};
static const struct ike_suite networkmanager_esp[] = {
    P2(AES, 256, SHA1),
    P2(AES, 128, SHA1),
    P2(3DES, 192, SHA1),
};

static const struct ike_suite xl2tpd_ike[] = {P1(AES, 128, SHA1, MODP2048)};
static const struct ike_suite xl2tpd_esp[] = {P2(AES, 128, SHA1)};

static const struct ike_suite routeros_ike[] = {
    P1(AES, 128, SHA1, MODP2048),
    P1(AES, 128, SHA1, MODP1024),
    P1(3DES, 192, SHA1, MODP2048),
    P1(3DES, 192, SHA1, MODP1024),
};
static const struct ike_suite routeros_esp[] = {
    P2_PFS(AES, 256, SHA1),
    P2_PFS(AES, 192, SHA1),
    P2_PFS(AES, 128, SHA1),
};

/* --- orders of attributes ------------------------------------------------ */

static const uint8_t windows_attrs1[] = {PERSONA_ATTR_CIPHER,
    PERSONA_ATTR_KEY_LENGTH, PERSONA_ATTR_HASH, PERSONA_ATTR_GROUP,
    PERSONA_ATTR_METHOD, PERSONA_ATTR_SECONDS, PERSONA_ATTR_END};
static const uint8_t windows_attrs2[] = {PERSONA_ATTR_ENCAP,
    PERSONA_ATTR_KEY_LENGTH, PERSONA_ATTR_HASH, PERSONA_ATTR_SECONDS,
    PERSONA_ATTR_KILOBYTES, PERSONA_ATTR_END};
/* Apple, Android and RouterOS descend from racoon: lifetime first. */
static const uint8_t racoon_attrs1[] = {PERSONA_ATTR_SECONDS,
    PERSONA_ATTR_CIPHER, PERSONA_ATTR_KEY_LENGTH, PERSONA_ATTR_METHOD,
    PERSONA_ATTR_HASH, PERSONA_ATTR_GROUP, PERSONA_ATTR_END};
static const uint8_t racoon_attrs2[] = {PERSONA_ATTR_SECONDS,
    PERSONA_ATTR_ENCAP, PERSONA_ATTR_KEY_LENGTH, PERSONA_ATTR_HASH,
    PERSONA_ATTR_GROUP, PERSONA_ATTR_END};
/* ChromeOS, NetworkManager and the xl2tpd recipe run strongSwan. */
static const uint8_t strongswan_attrs1[] = {PERSONA_ATTR_CIPHER,
    PERSONA_ATTR_KEY_LENGTH, PERSONA_ATTR_HASH, PERSONA_ATTR_GROUP,
    PERSONA_ATTR_METHOD, PERSONA_ATTR_SECONDS, PERSONA_ATTR_END};
static const uint8_t strongswan_attrs2[] = {PERSONA_ATTR_KEY_LENGTH,
    PERSONA_ATTR_HASH, PERSONA_ATTR_ENCAP, PERSONA_ATTR_SECONDS,
    PERSONA_ATTR_END};

/* --- Vendor IDs ---------------------------------------------------------- */

#define VID_RFC3947                                                            \
	{                                                                      \
		16,                                                            \
		{                                                              \
			0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c,  \
			    0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f           \
		}                                                              \
	}
#define VID_NATT_03                                                            \
	{                                                                      \
		16,                                                            \
		{                                                              \
			0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c,  \
			    0x17, 0x9d, 0x92, 0x15, 0x52, 0x9d, 0x56           \
		}                                                              \
	}
#define VID_NATT_02                                                            \
	{                                                                      \
		16,                                                            \
		{                                                              \
			0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8, 0x7c,  \
			    0xfd, 0xb2, 0xfc, 0x68, 0xb6, 0xa4, 0x48           \
		}                                                              \
	}
#define VID_NATT_02_LF                                                         \
	{                                                                      \
		16,                                                            \
		{                                                              \
			0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08,  \
			    0x63, 0x81, 0xb5, 0xec, 0x42, 0x7b, 0x1f           \
		}                                                              \
	}
#define VID_NATT_00                                                            \
	{                                                                      \
		16,                                                            \
		{                                                              \
			0x44, 0x85, 0x15, 0x2d, 0x18, 0xb6, 0xbb, 0xcd, 0x0b,  \
			    0xe8, 0xa8, 0x46, 0x95, 0x79, 0xdd, 0xcc           \
		}                                                              \
	}
#define VID_NATT_APPLE                                                         \
	{                                                                      \
		16,                                                            \
		{                                                              \
			0x4d, 0xf3, 0x79, 0x28, 0xe9, 0xfc, 0x4f, 0xd1, 0xb3,  \
			    0x26, 0x21, 0x70, 0xd5, 0x15, 0xc6, 0x62           \
		}                                                              \
	}
#define VID_DPD                                                                \
	{                                                                      \
		16,                                                            \
		{                                                              \
			0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b,  \
			    0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00           \
		}                                                              \
	}
#define VID_FRAGMENTATION                                                      \
	{                                                                      \
		16,                                                            \
		{                                                              \
			0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25,  \
			    0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2, 0xd3           \
		}                                                              \
	}
#define VID_XAUTH                                                              \
	{                                                                      \
		8,                                                             \
		{                                                              \
			0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12         \
		}                                                              \
	}

static const struct persona_vid windows_vids[] = {
    {20, {0x01, 0x52, 0x8b, 0xbb, 0xc0, 0x06, 0x96, 0x12, 0x18, 0x49, 0xab,
	     0x9a, 0x1c, 0x5b, 0x2a, 0x51, 0x00, 0x00, 0x00, 0x01}},
    {20, {0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c, 0x7d, 0x7c, 0x96, 0xfc,
	     0xbf, 0xb5, 0x87, 0xe4, 0x61, 0x00, 0x00, 0x00, 0x09}},
    VID_RFC3947,
    VID_NATT_02_LF,
    VID_FRAGMENTATION,
    {16, {0xfb, 0x1d, 0xe3, 0xcd, 0xf3, 0x41, 0xb7, 0xea, 0x16, 0xb7, 0xe5,
	     0xbe, 0x08, 0x55, 0xf1, 0x20}},
    {16, {0x26, 0x24, 0x4d, 0x38, 0xed, 0xdb, 0x61, 0xb3, 0x17, 0x2a, 0x36,
	     0xe3, 0xd0, 0xcf, 0xb8, 0x19}},
    {16, {0xe3, 0xa5, 0x96, 0x6a, 0x76, 0x37, 0x9f, 0xe7, 0x07, 0x22, 0x82,
	     0x31, 0xe5, 0xce, 0x86, 0x52}},
};
static const struct persona_vid apple_vids[] = {VID_RFC3947, VID_NATT_APPLE,
    VID_NATT_03, VID_NATT_02, VID_NATT_02_LF, VID_FRAGMENTATION, VID_DPD};
static const struct persona_vid android_vids[] = {VID_RFC3947, VID_NATT_02,
    VID_NATT_02_LF, VID_NATT_00, VID_FRAGMENTATION, VID_DPD};
static const struct persona_vid strongswan_vids[] = {
    VID_XAUTH, VID_DPD, VID_FRAGMENTATION, VID_RFC3947, VID_NATT_02_LF};
static const struct persona_vid natt00_vids[] = {VID_NATT_00, VID_DPD};
static const struct persona_vid routeros_vids[] = {
    VID_RFC3947, VID_NATT_03, VID_NATT_02, VID_NATT_00, VID_DPD};

/* --- personas ------------------------------------------------------------ */

#define MAIN_ORDERS                                                            \
	.mm1 = {ISAKMP_PAYLOAD_SA, ISAKMP_PAYLOAD_VID},                        \
	.mm3 = {ISAKMP_PAYLOAD_KE, ISAKMP_PAYLOAD_NONCE,                       \
	    ISAKMP_PAYLOAD_NAT_D},                                             \
	.qm1 = {ISAKMP_PAYLOAD_SA, ISAKMP_PAYLOAD_NONCE, ISAKMP_PAYLOAD_KE,    \
	    ISAKMP_PAYLOAD_ID, ISAKMP_PAYLOAD_NAT_OA}
#define VIDS(list) .vids = (list), .vid_count = COUNT(list)
#define OFFER(list, order, life)                                               \
	.suites = (list), .suite_count = COUNT(list), .attrs = (order),        \
	.seconds = (life)
#define WITHOUT_CONTACT .mm5 = {ISAKMP_PAYLOAD_ID, ISAKMP_PAYLOAD_HASH}
#define WITH_CONTACT                                                           \
	.mm5 = {ISAKMP_PAYLOAD_ID, ISAKMP_PAYLOAD_HASH, ISAKMP_PAYLOAD_NOTIFY}
#define SELECTORS_1701 .client_port = 1701, .server_port = 1701
#define BACKING_OFF                                                            \
	.retry = {.first_ms = 1000, .percent = 200, .max_ms = 16000, .tries = 7}
/* racoon: 5 times, every 10 s; Apple's and Android's every 3 s. */
#define EVERY_3_S                                                              \
	.retry = {.first_ms = 3000, .percent = 100, .max_ms = 3000, .tries = 10}
/* strongSwan: 4 s, times 1.8, 5 tries more. */
#define STRONGSWAN_RETRY                                                       \
	.retry = {                                                             \
	    .first_ms = 4000, .percent = 180, .max_ms = 165000, .tries = 6}

/* racoon's, but for Apple's, which has 1280. */
#define RACOON_FRAGMENT 552

static const struct persona windows10 = {
    .name = "windows10",
    MAIN_ORDERS,
    WITHOUT_CONTACT,
    VIDS(windows_vids),
    .ike = {OFFER(windows_ike, windows_attrs1, 28800), .has_long_life = true},
    .esp = {OFFER(windows_esp, windows_attrs2, 3600), .is_many_proposals = true,
	.kilobytes = 250000, .has_long_life = true},
    .msgid = PERSONA_MSGID_COUNT,
    .nat_oa = PERSONA_OA_NATT,
    SELECTORS_1701,
    .fragment_over = 548,
    .end = PERSONA_END_DELETE,
    BACKING_OFF,
    .rekey_ike_percent = 90,
    .rekey_esp_percent = 90,
};

static const struct persona ios = {
    .name = "ios",
    MAIN_ORDERS,
    WITH_CONTACT,
    VIDS(apple_vids),
    .id_protocol = 17,
    .id_port = 500,
    .ike = {OFFER(apple_ike, racoon_attrs1, 3600)},
    .esp = {OFFER(apple_esp, racoon_attrs2, 3600)},
    .nat_oa = PERSONA_OA_PAIR,
    .server_port = 1701,
    .is_ephemeral = true,
    .fragment_over = 1280,
    .end = PERSONA_END_SILENT,
    EVERY_3_S,
    .rekey_ike_percent = 85,
    .rekey_esp_percent = 85,
};

static const struct persona android11 = {
    .name = "android11",
    MAIN_ORDERS,
    WITH_CONTACT,
    VIDS(android_vids),
    .id_protocol = 17,
    .id_port = 500,
    .ike = {OFFER(android_ike, racoon_attrs1, 28800)},
    .esp = {OFFER(android_esp, racoon_attrs2, 28800)},
    .nat_oa = PERSONA_OA_PAIR,
    .server_port = 1701,
    .fragment_over = RACOON_FRAGMENT,
    .end = PERSONA_END_DELETE,
    EVERY_3_S,
    .rekey_ike_percent = 0,
    .rekey_esp_percent = 80,
};

static const struct persona chromeos = {
    .name = "chromeos",
    MAIN_ORDERS,
    WITHOUT_CONTACT,
    VIDS(strongswan_vids),
    .ike = {OFFER(chromeos_ike, strongswan_attrs1, 10800)},
    .esp = {OFFER(chromeos_esp, strongswan_attrs2, 3600)},
    .nat_oa = PERSONA_OA_PAIR,
    SELECTORS_1701,
    .end = PERSONA_END_DELETE,
    STRONGSWAN_RETRY,
    .rekey_ike_percent = 90,
    .rekey_esp_percent = 90,
};

static const struct persona networkmanager = {
    .name = "networkmanager",
    MAIN_ORDERS,
    WITHOUT_CONTACT,
    VIDS(strongswan_vids),
    .ike = {OFFER(networkmanager_ike, strongswan_attrs1, 10800)},
    .esp = {OFFER(networkmanager_esp, strongswan_attrs2, 3600)},
    .nat_oa = PERSONA_OA_PAIR,
    SELECTORS_1701,
    .end = PERSONA_END_DELETE,
    STRONGSWAN_RETRY,
    .rekey_ike_percent = 90,
    .rekey_esp_percent = 90,
};

static const struct persona xl2tpd = {
    .name = "xl2tpd",
    MAIN_ORDERS,
    WITHOUT_CONTACT,
    VIDS(strongswan_vids),
    .ike = {OFFER(xl2tpd_ike, strongswan_attrs1, 10800)},
    .esp = {OFFER(xl2tpd_esp, strongswan_attrs2, 3600)},
    .nat_oa = PERSONA_OA_PAIR,
    SELECTORS_1701,
    .end = PERSONA_END_DELETE,
    STRONGSWAN_RETRY,
    .rekey_ike_percent = 90,
    .rekey_esp_percent = 90,
};

static const struct persona routeros = {
    .name = "routeros",
    MAIN_ORDERS,
    WITH_CONTACT,
    VIDS(routeros_vids),
    .ike = {OFFER(routeros_ike, racoon_attrs1, 86400)},
    .esp = {OFFER(routeros_esp, racoon_attrs2, 1800)},
    .nat_oa = PERSONA_OA_PAIR,
    SELECTORS_1701,
    .dpd_ms = 120000,
    .end = PERSONA_END_DELETE,
    BACKING_OFF,
    .rekey_ike_percent = 80,
    .rekey_esp_percent = 80,
};

/* No client of the matrix: it knows NAT traversal as draft 00 only. */
static const struct persona natt00 = {
    .name = "natt00",
    MAIN_ORDERS,
    WITH_CONTACT,
    VIDS(natt00_vids),
    .ike = {OFFER(xl2tpd_ike, racoon_attrs1, 28800)},
    .esp = {OFFER(xl2tpd_esp, racoon_attrs2, 3600)},
    .nat_oa = PERSONA_OA_NATT,
    SELECTORS_1701,
    .end = PERSONA_END_DELETE,
    BACKING_OFF,
    .rekey_ike_percent = 80,
    .rekey_esp_percent = 80,
};

const struct persona *const personas[] = {&windows10, &ios, &android11,
    &chromeos, &networkmanager, &xl2tpd, &routeros, &natt00};
const size_t persona_total = COUNT(personas);

const struct persona *persona_by_name(const char *name)
{
	if (!strcmp(name, persona_default.name))
		return &persona_default;
	for (size_t i = 0; i < persona_total; i++) {
		if (!strcmp(name, personas[i]->name))
			return personas[i];
	}
	return NULL;
}
