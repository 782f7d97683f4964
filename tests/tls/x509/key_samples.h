// Private keys that OpenSSL made, for tests alone.
#pragma once

namespace quoll::tests {

/// ECPrivateKey after its EC PARAMETERS.
inline constexpr char kSec1P256[] =
    "-----BEGIN EC PARAMETERS-----\n"
    "BggqhkjOPQMBBw==\n"
    "-----END EC PARAMETERS-----\n"
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIM/XYhLFCgstrugwaFT1jfjgDkesm8ePcNJvGXyScrmBoAoGCCqGSM49\n"
    "AwEHoUQDQgAEr1bR++7uUbw8XYIueUK/txY7zdf2WkdJuCrIhrXDeoyOfH9ILe2c\n"
    "PF8UFzC+XsH2ms1Ykh0qHfN85JuFy3ZMnA==\n"
    "-----END EC PRIVATE KEY-----\n";

/// The same key.
inline constexpr char kPkcs8P256[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgz9diEsUKCy2u6DBo\n"
    "VPWN+OAOR6ybx49w0m8ZfJJyuYGhRANCAASvVtH77u5RvDxdgi55Qr+3FjvN1/Za\n"
    "R0m4KsiGtcN6jI58f0gt7Zw8XxQXML5ewfaazViSHSod83zkm4XLdkyc\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr char kSec1P384[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIGkAgEBBDBfE3HH+WFBFGjKkXcu3d9zt599f8082UERRlfumtBQ/uv+v1zqk1qk\n"
    "/DDg4EiRCTKgBwYFK4EEACKhZANiAASDe3QwU9EviVaaEiaqzvJA5kPw21WlpBFU\n"
    "X/giI0o8+yxmAifCI4ijK3UokcycbveL/Ph8Nl+u+WpNbHzc9f/iL4d0W5bEwYox\n"
    "/YmUiQU1WyYBfpBrnZ2PJTl26vZ5Pkg=\n"
    "-----END EC PRIVATE KEY-----\n";

/// The same key.
inline constexpr char kPkcs8P384[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBfE3HH+WFBFGjKkXcu\n"
    "3d9zt599f8082UERRlfumtBQ/uv+v1zqk1qk/DDg4EiRCTKhZANiAASDe3QwU9Ev\n"
    "iVaaEiaqzvJA5kPw21WlpBFUX/giI0o8+yxmAifCI4ijK3UokcycbveL/Ph8Nl+u\n"
    "+WpNbHzc9f/iL4d0W5bEwYox/YmUiQU1WyYBfpBrnZ2PJTl26vZ5Pkg=\n"
    "-----END PRIVATE KEY-----\n";

/// 2048 bits.
inline constexpr char kPkcs1Rsa[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEowIBAAKCAQEAuf1QDQAPRYcFayypco0xQ3xnq1ZXyomB/xFIEJP8O6OQa7bd\n"
    "Obg8YwUIT+7F3L9/SmO7hXhy6FQ04q+q1Lpu1HZKWkDubLcpUHPHvB9hRNBaPmzC\n"
    "Rr8Zh8UWKDmvetOwh/AkiHPeUbzZs7ldoOVLuEqIoiySH1qf0M+X346JbhAFFCWP\n"
    "AXaDM2orB+As3gwiqETZzjj8Y3aDE5vbx+RiG/0r5ZLTtPWvV7jsXcWx0e8ezAbq\n"
    "SlGU27WZ1gsBBn/HAbDSDtj/8qbqpQ+pO5FZHCQmdxYv+y4LNTArk2Q8WM6whS3h\n"
    "+Z5mhokdLTsHV/blh0J2xyrJag/RGv7INP7CnwIDAQABAoIBAFfmkfZK8GzGNvfj\n"
    "mEPk2gMQoThXas90tKUViE8ZeazADWny91QnsBaGUtrgONAvCxxfzUjz167Y2VPH\n"
    "fT/jyqyMKXDFXkmwOQzmY2AUHpb0t6noIdtoxsqliWbCeJ5evQBKLSH2TPypeeRY\n"
    "d5kqtWIoi7HFyduaq4x3CEqmZWpHxcRnFhUqmXMa098XPnRVWhG8tJwlcIo0p/iE\n"
    "HqnTOl0WWQXDSugXEOIi/zP5+lNcAH+gym+SoAVnYNP1c45/++6DxxchGNW7fKg1\n"
    "dmxvkNAXjzMewztYbOb1gGc5olwy/XJ0UJL+XjyZDK+gn3kN/lpTCeLT+O9U9B1r\n"
    "amXPfckCgYEA8BKwaX4ooOJRXQdpSD6bcwXQWuiwdzASTCHid4ovPrC3MzRsZjk4\n"
    "Gpzda8favbiq1BBYJHJF0Wexex/qT2skwRDNMk4zepGcboZVH2fLVBlnEH27Fc+z\n"
    "+elnuZPAS9ldpluFOeo6VAv8/t0VuU9CpgIGVf2QCFTkTQIqtPKnCMkCgYEAxlQW\n"
    "5j3CipBwRUfcnrHuTfClIhOITtoo1RRc0yONr/TqOCaXQwa/dAgIuN4DVUkbVMQT\n"
    "401Olhb8EE1ykWoh2pci6dRbe3ZapBe8QaYRQ2UEJaKOR/hcHefK0HzhsAGil5JA\n"
    "enmyjlLdNIt4Y6M4kcn25tiOqx6mqJroroSLDCcCgYEAo9idfeIUaHkNfqhoOl5A\n"
    "SahWIzVb+nxcgIk/vsYYqHiDD/dfZAT5PXCBzeWAbKt0K3dcMMOs0tYqUxXdHIbL\n"
    "dti4svScPbLTSLt1rRFxu9v6c07cOG6hLpcVq5ojS6D2QWuE6ZnqZSIpcOgCw45M\n"
    "tm/7UwTTIFyP097+trBFP8ECgYArDQHThMB/946HW2wGfrUt8fjGhtrl0vFeH4du\n"
    "xZ7x/QYCnk3jXMmeVEggaQDsOGxYYB+5DYTri523pDgkXJdwrbIEc/ZPvIc8a3KQ\n"
    "BY5lxL27taeQ89Z7H1+lFhafcBttL3ATpesefdpKl6PQbRPQgbi4r3V4q7SdkNLF\n"
    "XzwXrQKBgH25Ri1H7sP6D5a7cBVUop+riY2V73uBkejIaEFUuxsFGWs2IZhyOF1d\n"
    "yRHLdxvJQf6Vyfk1uk2IfGM41EFK3cwP2ZdfF8+vdvqL0Pn6JERdmfrN9R3EIHV+\n"
    "xXAV3WUCft3iDckqHpFEIeo7oECqBIQZq+0fYg2uD56gSs3TY8Yw\n"
    "-----END RSA PRIVATE KEY-----\n";

/// The same key.
inline constexpr char kPkcs8Rsa[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC5/VANAA9FhwVr\n"
    "LKlyjTFDfGerVlfKiYH/EUgQk/w7o5Brtt05uDxjBQhP7sXcv39KY7uFeHLoVDTi\n"
    "r6rUum7UdkpaQO5stylQc8e8H2FE0Fo+bMJGvxmHxRYoOa9607CH8CSIc95RvNmz\n"
    "uV2g5Uu4SoiiLJIfWp/Qz5ffjoluEAUUJY8BdoMzaisH4CzeDCKoRNnOOPxjdoMT\n"
    "m9vH5GIb/SvlktO09a9XuOxdxbHR7x7MBupKUZTbtZnWCwEGf8cBsNIO2P/ypuql\n"
    "D6k7kVkcJCZ3Fi/7Lgs1MCuTZDxYzrCFLeH5nmaGiR0tOwdX9uWHQnbHKslqD9Ea\n"
    "/sg0/sKfAgMBAAECggEAV+aR9krwbMY29+OYQ+TaAxChOFdqz3S0pRWITxl5rMAN\n"
    "afL3VCewFoZS2uA40C8LHF/NSPPXrtjZU8d9P+PKrIwpcMVeSbA5DOZjYBQelvS3\n"
    "qegh22jGyqWJZsJ4nl69AEotIfZM/Kl55Fh3mSq1YiiLscXJ25qrjHcISqZlakfF\n"
    "xGcWFSqZcxrT3xc+dFVaEby0nCVwijSn+IQeqdM6XRZZBcNK6BcQ4iL/M/n6U1wA\n"
    "f6DKb5KgBWdg0/Vzjn/77oPHFyEY1bt8qDV2bG+Q0BePMx7DO1hs5vWAZzmiXDL9\n"
    "cnRQkv5ePJkMr6CfeQ3+WlMJ4tP471T0HWtqZc99yQKBgQDwErBpfiig4lFdB2lI\n"
    "PptzBdBa6LB3MBJMIeJ3ii8+sLczNGxmOTganN1rx9q9uKrUEFgkckXRZ7F7H+pP\n"
    "ayTBEM0yTjN6kZxuhlUfZ8tUGWcQfbsVz7P56We5k8BL2V2mW4U56jpUC/z+3RW5\n"
    "T0KmAgZV/ZAIVORNAiq08qcIyQKBgQDGVBbmPcKKkHBFR9yese5N8KUiE4hO2ijV\n"
    "FFzTI42v9Oo4JpdDBr90CAi43gNVSRtUxBPjTU6WFvwQTXKRaiHalyLp1Ft7dlqk\n"
    "F7xBphFDZQQloo5H+Fwd58rQfOGwAaKXkkB6ebKOUt00i3hjoziRyfbm2I6rHqao\n"
    "muiuhIsMJwKBgQCj2J194hRoeQ1+qGg6XkBJqFYjNVv6fFyAiT++xhioeIMP919k\n"
    "BPk9cIHN5YBsq3Qrd1www6zS1ipTFd0chst22Liy9Jw9stNIu3WtEXG72/pzTtw4\n"
    "bqEulxWrmiNLoPZBa4TpmeplIilw6ALDjky2b/tTBNMgXI/T3v62sEU/wQKBgCsN\n"
    "AdOEwH/3jodbbAZ+tS3x+MaG2uXS8V4fh27FnvH9BgKeTeNcyZ5USCBpAOw4bFhg\n"
    "H7kNhOuLnbekOCRcl3CtsgRz9k+8hzxrcpAFjmXEvbu1p5Dz1nsfX6UWFp9wG20v\n"
    "cBOl6x592kqXo9BtE9CBuLivdXirtJ2Q0sVfPBetAoGAfblGLUfuw/oPlrtwFVSi\n"
    "n6uJjZXve4GR6MhoQVS7GwUZazYhmHI4XV3JEct3G8lB/pXJ+TW6TYh8YzjUQUrd\n"
    "zA/Zl18Xz692+ovQ+fokRF2Z+s31HcQgdX7FcBXdZQJ+3eINySoekUQh6jugQKoE\n"
    "hBmr7R9iDa4PnqBKzdNjxjA=\n"
    "-----END PRIVATE KEY-----\n";

/// Id-RSASSA-PSS without parameters.
inline constexpr char kPkcs8Pss[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEugIBADALBgkqhkiG9w0BAQoEggSmMIIEogIBAAKCAQEAp2JAeaTKEqVhDBwx\n"
    "bk0sWmBrO+b9v8L8cLMd8RvXpeaBqqZtQxGRAGRMKw6Ey1shFxP0txIacYEZgPqW\n"
    "exdPcz+rH1vkDCOUxgpRoTawapjzDo8Sjr+8hEfUcYNMYeuRpzBNuBwRwop99uyS\n"
    "b3/3djrUZrfNGtnPCwFiWrlJWZ5P2vCtbWwmqzza13wDavbgECLJrBCVZWknxGt/\n"
    "i/4ZAilqFnnVOME47jNX9CVrPft/YwZbM3b7/qWKGvtzAJdihDQKcRiyZO8xnHSK\n"
    "7WyDPBDfRZqpv+evEjx47/rfFok/v/mn/ISCiv9vBDrnJlcf/23YCT4NRI/UyQxx\n"
    "gwVs4wIDAQABAoIBAAjGNPV5r52gm7YSP2H9KeAm88LDVS6SUGrqM3LU8AbiazkA\n"
    "hJ5piIvJ7xA4hdamP/Hr3YxAGJRSZH2HJUlfq44x03B58avUV2/Spm5aOwEA1fo/\n"
    "u0wVdoR8ph2ATiadPhiZ3Cyp95MIVJnatt9L3hbi2l5l2pq0SAC66J+IpBFcnEM7\n"
    "botuimA+dDvIa4GPteXGTb95rmyo2D63s44FVD55ytYgsZvg3x9r9MCqkkzEUdvj\n"
    "pUN+gSflZmfiZbLGzNMsR/qv9HUMmc8YBA1HXP88XBEMgQxckJi4EBr6QlV1W9Ul\n"
    "+UsBlTMJGlglCWKacb+TPS9nswCgj1YvVPzr3OkCgYEA6s3vulyGEX1iJ61X4U/v\n"
    "VWroLVQJXBqqtJOC570bHLBZ74q6NTjAkzlLEB45gXmdJuPhqaepBxwGrh/HxKjO\n"
    "J2FhKyXkH++rsN0UqMFdXLKrIqMIhCFN1JLxRkY4R8mzIgZfoHaV45E6ToxLF+Zx\n"
    "Y+QWhI1yaFynz/guiJ0q3MUCgYEAtn5NEJfidldD9QuKVTWTGEZg1y3m+Ts7idoi\n"
    "DwPea5rgR5+Yy9kaEN2SRDIkOdTVA2x59onowDznAK43IbMEGsGSHRiFnpzDBVYp\n"
    "MYkxAJIwT22yExMiKlE1oDVz733gB7JDg9pFJSS8Vq6cwgEK19FHuF13n+Fweq4K\n"
    "0pCxDYcCgYAFnFIkI93YQSS9SfkVmzFe2yUdICrxFnoJwpSYMP6a2uPrQ2dbqjV/\n"
    "zxiqE+7P1zYYHc3gne7+Cn9mXcAKRPZYHo2R2F/xG2sA2OeLeMNgWayZMUgc0Cbp\n"
    "83DsevURUhKDt59FWFAQlgHMqrGIqqr+9g5LsI2RTNV9tLJ39Tl2+QKBgGab81be\n"
    "H54siPBSMdChU/i1MaQrkhAWpu5msPnCUiAsr+h1qyMLCeXrv18K1mWR7seDCbx+\n"
    "ZFkapUQzsJoJHsiwiChF7nN1bw4kGPtaSSwqBnHSmuqwumgSy1UuWOaS3xFUwTN0\n"
    "2aX91sviWA+ZKHCaonneS/Ggf27rRviIFJUnAoGATc34PHZJJK68zNplLI/8s39B\n"
    "UDuSj9JMws4uHT6NhRGFWMlAgMsMtmj2Dazz6X41wn0N7W/400HUPwkthtaIDizL\n"
    "fjhMQxpfVcc6pQm9VaZxVFiNSfZQyA6MRRLP7EZK2lkoI1RsbQNH5LUNlNJexpM/\n"
    "t/IteLXg/aXc7khayJk=\n"
    "-----END PRIVATE KEY-----\n";

/// Id-RSASSA-PSS for SHA-384 alone.
inline constexpr char kPkcs8PssSha384[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIE8QIBADBBBgkqhkiG9w0BAQowNKAPMA0GCWCGSAFlAwQCAgUAoRwwGgYJKoZI\n"
    "hvcNAQEIMA0GCWCGSAFlAwQCAgUAogMCATAEggSnMIIEowIBAAKCAQEAs53K7e2P\n"
    "gGnzheZ574FYCU+ArADLZcqcdsVWIta+5Ah/afCk4JrMMlIZWnutu6vtXKQKeyt3\n"
    "G9N5r9gVxCDcEGeYunbtamrHHIIFhQlSc2M6TgbQSCutqs5s+YKFkAkqCizpABFO\n"
    "bKl67CQClsuJvRKJuzOYyEbkpcf1SN/2xmXykXt7B7LGJEXO10cP/WCCFrqLLGZo\n"
    "tkCQL11snetWSe+cPXNi+5SAljIBff8Qq0sn/2+/5iU76tDSlfOZDaE4E3Nevglb\n"
    "hcq93kylC1Sd8DY9arraMUuuNBbnYhiimPGjqgcWyWk5mHKm9rj3erhDcRdJZ15Y\n"
    "4ZtZKYVs8pnIRwIDAQABAoIBAAS8Co7V/bvdTxl+90TcbHUmXtZp2PKwcgphbkFR\n"
    "1stM/ArPWJFBE1PaPSfY7b3uLL4N5ubTQPr/SoxbjktSsGpQSMLVgrGU6fWy6bFV\n"
    "ixJWkcFfxZq5aAUCFvZGvf2LeEu3XlbtndsYZpCV7GmMKO/Obsn79LGGyN0j1a/b\n"
    "k3YsS1KwRzWWH+W81iW7OvJSWvl2ZkegIeYNUtifQmCEOc/I1bNdW78dAokDfFMA\n"
    "IzKpnD9SkhndLKThqfLdD+XxNnIrKVRVt6xo4athXSFPSI+G72xglITvvhKpzSw9\n"
    "a7NQbnwaNp7vlYGsCvvFEjE1EQCZP7MpZyqC1sE2axJRXGECgYEA+8Ue4YAdF/L+\n"
    "TchkXPJl8bOBZNUhNtKhlMvuBBDCyDOgaQQbc8HZAYCu6a3+X4WlIcAvULex6tR/\n"
    "ZtSGfjh2M4CZfGDLfAXu8fo3NXhiQRoV82J+1fpRa5JhuUbYa1XbCuX/i4EXzqWv\n"
    "DserBq3uCHYVt0BL1HeeVAb1JZy9fycCgYEAtqJVpl5DlcLqmvtEs43JZRGWsk25\n"
    "mGj1w05gXf0s876h94wsbIZ1FWubpIWd0bRiiWf1BDJ8Igc7JLGkalYm4pTV9Rxm\n"
    "ss0O1ibDx/G6SqMTLn8VR6OjDGhgXXKFgQbBRLyENrenOpmeq/68cPGmtSO4sNdn\n"
    "h8LUAX8oR9GvIeECgYEAnY25yXwWuMoDgkGJLPE0ApFGxAbsBhbBrw//HuQuQIKu\n"
    "O4mqdEI2vs38p5eOu9AyinBuK6EI4d+g6oTMtWg37/rmEgOw0ygTY7Ilonx3YC4m\n"
    "1mwo21cOZLbyGLPQ8zqDHMrZpD9g2pysdB9XU5K8hub+p/LAgXFpz0ObXbI8k7kC\n"
    "gYAoV/HNn3MUiQskEy9Y7pA3eEwutQaziTQI4a5d9MhSS6EhuuAxVP5WLgAitrVn\n"
    "Fo7RxZoVREWxiqFg+LDWIJPUZ4Zf79cr1ipZ2hRTfa1mQWHCWqZLvfUNj50B54Ng\n"
    "PirBUVdvcuBJDJhFbC8aT/dAelSZE+w1zC7i6cDvJH2oYQKBgHczV1ARzIeeTSAN\n"
    "80R4FIMubTfdyi+g6tKmsI6In61eDbPl1XeZcxoOWZ2HQugUL81ihge965/RDRsS\n"
    "ZkmQ6b8+/nBdNKXELwuW5/Lpkng8iNJrSFAs1usng9HVUnHhplal1WQlNNlOCFlq\n"
    "uZHe37QvoHSMldZKPb6a14znxO4l\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr char kPkcs8Ed25519[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIIvjwGLHjddW1aPvPCDgIX3q/aguixAFw86qRa0Zbkgm\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr char kEncryptedPkcs8[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgqvjxfQZ2iQAICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFzyyPpjtmeJ8++UD87C8dAEgZAM\n"
    "9yGoOvT8s7lRkGBTw5Rx98S6LJIVlKs8NRAuBjOfHUJZM00kCqjPFdkudlU8h8lJ\n"
    "epr8690AsIw2WVh2knMFWDEvR+HiS6fr4BpFxE1xMvVBvzuC8v3foY43FbiFNU5R\n"
    "FuPURCAl/YAJmsJQ7F8fG2lmC9TXt4PmGILdxJVw6soQOnCaJtzWNfw6gWNlpRQ=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

/// With the headers of RFC 1421.
inline constexpr char kEncryptedSec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-128-CBC,5FAB8FC495D378C1B211373197C3A6C4\n"
    "\n"
    "0yuXXoWuxmHLy0j86T8ZzjdEaMVPYGoNw6tdVRt0Vb8kH7Hcjgvqq+z+/8tGNcvd\n"
    "DML74nFAcNf+tb5+vLjoIwTGPPmO/a8tB3645TU5naFLTHtHzHy3Yx93IIzzgaEh\n"
    "ZWjv83U8OmlyVNuiTIaF0CIodg+CXKGL2GI/cWhziJE=\n"
    "-----END EC PRIVATE KEY-----\n";

/// A curve that we do not have.
inline constexpr char kSec1Secp256k1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHQCAQEEIHXJoxReWGklahclx6gP+VKy8JaRdCpDWyEWo7gOTMFUoAcGBSuBBAAK\n"
    "oUQDQgAEPAk0XD4Grk5727n9pXW/gdrOisibz9lMIXEUL4/VoSrDtBUAadGs892Z\n"
    "+uc5eno6GsEPQ4XATzO4meHDp4p6QQ==\n"
    "-----END EC PRIVATE KEY-----\n";

}  // namespace quoll::tests
