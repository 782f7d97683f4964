#pragma once
#include "crypto/portable/montgomery.h"
#include "crypto/portable/nist_curves.h"
namespace quoll::crypto::x86 { struct P384Arithmetic : MontgomeryArithmetic<P384::Prime> {}; }
