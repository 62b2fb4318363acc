fn x(){ }
