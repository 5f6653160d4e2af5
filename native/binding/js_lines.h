// Adds createLines to the addon's exports.
// Lines of a log from places of values: core/line_writer.h. It opens and writes no file.
// Twin: src/engine/lines.ts.
#ifndef POSTERN_BINDING_JS_LINES_H_
#define POSTERN_BINDING_JS_LINES_H_

#include <napi.h>

namespace postern {

void DefineLines(Napi::Env env, Napi::Object exports);

}  // namespace postern

#endif  // POSTERN_BINDING_JS_LINES_H_
