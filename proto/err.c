/* The words for errors. Pure. */
#include "proto/err.h"

const char *err_name(unsigned err)
{
	switch ((enum err)err) {
#define E(SYMBOL, code, name, sentence) \
	case ERR_##SYMBOL: \
		return name;
		ERRORS(E)
#undef E
	}
	return "unknown";
}

const char *err_sentence(unsigned err)
{
	switch ((enum err)err) {
#define E(SYMBOL, code, name, sentence) \
	case ERR_##SYMBOL: \
		return sentence;
		ERRORS(E)
#undef E
	}
	return "an error that this build does not know";
}
