// Object identifiers of X.509, as the contents of their DER encoding, by the names that the RFCs give them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace quoll::x509::oid {

inline bool is(Bytes oid, Bytes expected) { return std::ranges::equal(oid, expected); }

// Keys and signatures: RFC 3279, RFC 4055, RFC 5480, RFC 5758, RFC 8410.
inline constexpr uint8_t kRsaEncryption[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1};
inline constexpr uint8_t kMd2WithRsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2};
inline constexpr uint8_t kMd5WithRsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4};
inline constexpr uint8_t kSha1WithRsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5};
inline constexpr uint8_t kMgf1[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8};
inline constexpr uint8_t kRsassaPss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10};
inline constexpr uint8_t kSha256WithRsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11};
inline constexpr uint8_t kSha384WithRsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12};
inline constexpr uint8_t kSha512WithRsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13};
inline constexpr uint8_t kEcPublicKey[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1};
inline constexpr uint8_t kP256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
inline constexpr uint8_t kP384[] = {0x2b, 0x81, 0x04, 0, 0x22};
inline constexpr uint8_t kEcdsaWithSha1[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1};
inline constexpr uint8_t kEcdsaWithSha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2};
inline constexpr uint8_t kEcdsaWithSha384[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3};
inline constexpr uint8_t kEcdsaWithSha512[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4};
inline constexpr uint8_t kEd25519[] = {0x2b, 0x65, 0x70};

// Hashes.
inline constexpr uint8_t kSha1[] = {0x2b, 0x0e, 3, 2, 0x1a};
inline constexpr uint8_t kSha256[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1};
inline constexpr uint8_t kSha384[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2};
inline constexpr uint8_t kSha512[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3};

// Certificate extensions: RFC 5280 §4.2, RFC 6962 §3.3, RFC 7633.
inline constexpr uint8_t kSubjectDirectoryAttributes[] = {0x55, 0x1d, 9};
inline constexpr uint8_t kSubjectKeyIdentifier[] = {0x55, 0x1d, 14};
inline constexpr uint8_t kKeyUsage[] = {0x55, 0x1d, 15};
inline constexpr uint8_t kSubjectAltName[] = {0x55, 0x1d, 17};
inline constexpr uint8_t kBasicConstraints[] = {0x55, 0x1d, 19};
inline constexpr uint8_t kNameConstraints[] = {0x55, 0x1d, 30};
inline constexpr uint8_t kCrlDistributionPoints[] = {0x55, 0x1d, 31};
inline constexpr uint8_t kCertificatePolicies[] = {0x55, 0x1d, 32};
inline constexpr uint8_t kPolicyMappings[] = {0x55, 0x1d, 33};
inline constexpr uint8_t kAuthorityKeyIdentifier[] = {0x55, 0x1d, 35};
inline constexpr uint8_t kPolicyConstraints[] = {0x55, 0x1d, 36};
inline constexpr uint8_t kExtendedKeyUsage[] = {0x55, 0x1d, 37};
inline constexpr uint8_t kFreshestCrl[] = {0x55, 0x1d, 46};
inline constexpr uint8_t kInhibitAnyPolicy[] = {0x55, 0x1d, 54};
inline constexpr uint8_t kAuthorityInfoAccess[] = {0x2b, 6, 1, 5, 5, 7, 1, 1};
inline constexpr uint8_t kSubjectInfoAccess[] = {0x2b, 6, 1, 5, 5, 7, 1, 11};
inline constexpr uint8_t kTlsFeature[] = {0x2b, 6, 1, 5, 5, 7, 1, 24};
inline constexpr uint8_t kSignedCertificateTimestamps[] = {0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2};
inline constexpr uint8_t kMicrosoftApplicationPolicies[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x15, 10};

// Policies and their qualifiers: RFC 5280 §4.2.1.4.
inline constexpr uint8_t kAnyPolicy[] = {0x55, 0x1d, 32, 0};
inline constexpr uint8_t kPolicyQualifierCps[] = {0x2b, 6, 1, 5, 5, 7, 2, 1};
inline constexpr uint8_t kPolicyQualifierUserNotice[] = {0x2b, 6, 1, 5, 5, 7, 2, 2};

// Extended key usages: RFC 5280 §4.2.1.12.
inline constexpr uint8_t kAnyExtendedKeyUsage[] = {0x55, 0x1d, 37, 0};
inline constexpr uint8_t kServerAuth[] = {0x2b, 6, 1, 5, 5, 7, 3, 1};
inline constexpr uint8_t kClientAuth[] = {0x2b, 6, 1, 5, 5, 7, 3, 2};
inline constexpr uint8_t kCodeSigning[] = {0x2b, 6, 1, 5, 5, 7, 3, 3};
inline constexpr uint8_t kEmailProtection[] = {0x2b, 6, 1, 5, 5, 7, 3, 4};
inline constexpr uint8_t kTimeStamping[] = {0x2b, 6, 1, 5, 5, 7, 3, 8};
inline constexpr uint8_t kOcspSigning[] = {0x2b, 6, 1, 5, 5, 7, 3, 9};

// Kinds of otherName: RFC 8398 §3.
inline constexpr uint8_t kSmtpUtf8Mailbox[] = {0x2b, 6, 1, 5, 5, 7, 8, 9};

// Attributes of names: RFC 5280 appendix A, RFC 4519, RFC 2985.
inline constexpr uint8_t kCommonName[] = {0x55, 4, 3};
inline constexpr uint8_t kSurname[] = {0x55, 4, 4};
inline constexpr uint8_t kSerialNumber[] = {0x55, 4, 5};
inline constexpr uint8_t kCountryName[] = {0x55, 4, 6};
inline constexpr uint8_t kLocalityName[] = {0x55, 4, 7};
inline constexpr uint8_t kStateOrProvinceName[] = {0x55, 4, 8};
inline constexpr uint8_t kStreetAddress[] = {0x55, 4, 9};
inline constexpr uint8_t kOrganizationName[] = {0x55, 4, 10};
inline constexpr uint8_t kOrganizationalUnitName[] = {0x55, 4, 11};
inline constexpr uint8_t kTitle[] = {0x55, 4, 12};
inline constexpr uint8_t kPostalCode[] = {0x55, 4, 17};
inline constexpr uint8_t kGivenName[] = {0x55, 4, 42};
inline constexpr uint8_t kOrganizationIdentifier[] = {0x55, 4, 97};
inline constexpr uint8_t kUserId[] = {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1};
inline constexpr uint8_t kDomainComponent[] = {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25};
inline constexpr uint8_t kEmailAddress[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1};

}  // namespace quoll::x509::oid
