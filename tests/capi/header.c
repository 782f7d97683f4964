/* quoll.h is C99, alone, twice, and without a warning; its constants are what they say. */
#include <quoll/quoll.h>
#include <quoll/quoll.h>

/* In C its structs begin with what they promise. */
typedef char config_begins_with_its_size[offsetof(quoll_endpoint_config, struct_size) == 0 ? 1 : -1];
typedef char event_begins_with_its_size[offsetof(quoll_event, struct_size) == 0 ? 1 : -1];

size_t c_sizeof_event(void);
size_t c_sizeof_event(void) { return sizeof(quoll_event); }
size_t c_sizeof_config(void);
size_t c_sizeof_config(void) { return sizeof(quoll_endpoint_config); }
