#include "worker/listener/address.h"

namespace worker {

void readdress(schema::protocol::JobMessage &job, const std::string &url)
{
    const std::string known = job.serverUrl;
    job.serverUrl = url;
    if (known.empty() || known == url)
        return;
    const auto follow = [&](std::string &text) {
        if (text == known || text.starts_with(known + "/"))
            text.replace(0, known.size(), url);
    };
    for (auto &repository : job.repositories)
        follow(repository.url);
    for (auto &variable : job.variables) {
        if (!variable.isSecret)
            follow(variable.value);
    }
}

} // namespace worker
