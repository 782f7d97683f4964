// Vectors that give memory back. `vector = {}` only clears, and std::vector::shrink_to_fit() of libstdc++ does nothing in
// code that is compiled without exceptions, as all of ours is.
#pragma once

#include <iterator>
#include <vector>

namespace quoll {

/// Empty, and without memory.
template <class T>
void release(std::vector<T>& vector) {
  std::vector<T>().swap(vector);
}

/// The capacity becomes the size. References to elements end.
template <class T>
void shrink(std::vector<T>& vector) {
  if (vector.capacity() == vector.size()) return;
  vector = std::vector<T>(std::make_move_iterator(vector.begin()), std::make_move_iterator(vector.end()));
}

}  // namespace quoll
