// Template members of Runtime.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "async/runtime.h"

namespace heddle::async {

template <class T>
T Runtime::run(Task<T> task) {
    return asio::co_spawn(io(0), std::move(task), asio::use_future).get();
}

}  // namespace heddle::async
