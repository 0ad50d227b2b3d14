#include "pipelines/base/diagnostic.h"

#include "pipelines/compile/compiler.h"
#include "pipelines/run/graph.h"
#include "pipelines/run/step_context.h"
