#include "core/error.hpp"
#include "core/log.hpp"
#include "retrieve/fetcher.hpp"

namespace dcmpipe::retrieve {

namespace {

class FirstOffered : public Method {
public:
    explicit FirstOffered(std::vector<std::unique_ptr<Method>> methods) : methods_(std::move(methods)) {}

    net::QueryOutcome ask(const Request& request) override
    {
        while (methods_.size() > 1) {
            try {
                return methods_.front()->ask(request);
            } catch (const Error& error) {
                if (error.kind() != ErrorKind::Usage) {
                    throw;
                }
                log::info("{}; going on by another operation", error.what());
                methods_.front()->release();
                methods_.erase(methods_.begin());
            }
        }
        return methods_.front()->ask(request);
    }

    bool is_proven() const override { return methods_.front()->is_proven(); }
    void release() override { methods_.front()->release(); }

private:
    std::vector<std::unique_ptr<Method>> methods_; ///< those not yet found missing
};

} // namespace

std::unique_ptr<Method> make_first_offered(std::vector<std::unique_ptr<Method>> methods)
{
    return methods.size() == 1 ? std::move(methods.front())
                               : std::make_unique<FirstOffered>(std::move(methods));
}

} // namespace dcmpipe::retrieve
