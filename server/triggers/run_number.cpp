#include "server/triggers/run_number.h"

namespace server::triggers {

schema::Result<std::string>
runNumber(const NumberFacts &facts,
          const std::function<std::int64_t(const std::string &prefix)> &nextRevision)
{
    std::string date = schema::toIso8601(facts.now).substr(0, 10);
    std::erase(date, '-');
    return date + "." + std::to_string(nextRevision(date));
}

} // namespace server::triggers
